-- A person may let a mail go: it is then neither sent nor waited for.
alter table ops.deliveries drop constraint deliveries_state_check;
alter table ops.deliveries add constraint deliveries_state_check
    check (state in ('pending', 'sending', 'sent', 'refused', 'unknown', 'dropped'));
