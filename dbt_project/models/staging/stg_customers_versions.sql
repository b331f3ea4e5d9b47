{# A table: eight models ask for it, and how many rows hold on a day has to be known. #}
{{ config(materialized="table") }}

with versions as (
    select
        source_id,
        customer_id,
        {{ source_key('source_id', 'region_id') }} as region_key,
        {{ source_key('source_id', 'account_manager_id') }} as account_manager_key,
        deleted_on is not null as is_deleted,
        valid_from
    from {{ source('raw', 'customers_versions') }}
),

compared as (
    select
        *,
        lag(region_key) over own_versions as previous_region_key,
        lag(account_manager_key) over own_versions as previous_account_manager_key,
        lag(is_deleted) over own_versions as was_deleted
    from versions
    window own_versions as (partition by source_id, customer_id order by valid_from)
),

-- where other columns change daily, a customer has hundreds of versions and still one region and manager
changes as (
    select
        *,
        lead(valid_from) over (partition by source_id, customer_id order by valid_from) as valid_to
    from compared
    where
        region_key is distinct from previous_region_key
        or account_manager_key is distinct from previous_account_manager_key
        or is_deleted is distinct from was_deleted
),

final as (
    select
        {{ source_key('source_id', 'customer_id') }} as customer_key,
        region_key,
        account_manager_key,
        valid_from,
        valid_to
    from changes
    -- a deletion ends the version before it, and is none itself
    where not is_deleted
)

select * from final
