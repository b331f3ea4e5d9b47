-- Who was drawn for a campaign, and who decided on it: written once, never worked out anew.
create table ops.campaign_members (
    campaign_id text,
    customer_key text,
    arm text not null check (arm in ('treated', 'control', 'outside')), -- outside: vip customers, in neither arm
    account_manager_key text,
    value_tier text,
    reason_class text,
    time_away text,
    p_treated numeric,
    p_untreated numeric,
    margin numeric,
    expected_gain numeric,
    assigned_on date,
    primary key (campaign_id, customer_key)
);
create table ops.campaign_decisions (
    decision_id bigint generated always as identity primary key,
    campaign_id text not null,
    list_digest text,
    state text not null check (state in ('proposed', 'approved', 'rejected', 'expired')),
    proposed_at timestamptz,
    decided_by text,
    decided_at timestamptz,
    reason text,
    customers integer,
    expected_gain numeric,
    cost numeric
);
