-- Campaigns: what was proposed, what people decided, and who was drawn into which arm. None of it is ever worked out
-- again: what somebody was offered does not change because figures did.

-- Every list that was put to somebody, with what became of it.
create table ops.campaign_decisions (
    decision_id bigint generated always as identity primary key,
    campaign_id text not null,
    list_digest text not null, -- of the members with all that they were chosen by; the same list has the same digest
    state text not null default 'proposed' check (state in ('proposed', 'approved', 'rejected', 'expired')),
    proposed_at timestamptz not null default clock_timestamp(),
    decided_by text,
    decided_at timestamptz,
    reason text,
    customers integer not null, -- on the list, in any arm
    expected_gain numeric not null, -- of those whom the campaign would treat
    cost numeric not null, -- of treating them
    expected_uplift numeric, -- of those in the two arms, on average; null where there are none
    smallest_detectable numeric, -- the uplift that their number can show; null where an arm is empty
    check ((state = 'proposed') = (decided_at is null))
);
-- One list of a campaign waits for an answer, and one is carried out.
create unique index campaign_decisions_one_open on ops.campaign_decisions (campaign_id) where state = 'proposed';
create unique index campaign_decisions_one_approved on ops.campaign_decisions (campaign_id) where state = 'approved';

-- Who takes part, written when a list is approved, in the same transaction.
create table ops.campaign_members (
    campaign_id text not null,
    customer_key text not null,
    arm text not null check (arm in ('treated', 'control', 'outside')), -- outside: vip, treated, in neither arm
    account_manager_key text,
    value_tier text not null,
    reason_class text not null,
    time_away text not null,
    p_treated numeric not null,
    p_untreated numeric not null,
    margin numeric not null,
    expected_gain numeric not null,
    assigned_on date not null, -- the evening that the list was drawn on; both arms are watched from then on
    starts_on date not null, -- nobody is contacted before
    window_ends_on date not null, -- the last day whose orders count as a return
    primary key (campaign_id, customer_key)
);

-- The lists that wait for an answer, so that what is approved is what was shown.
create table ops.campaign_proposals (
    decision_id bigint not null references ops.campaign_decisions,
    like ops.campaign_members including constraints,
    primary key (decision_id, customer_key)
);
