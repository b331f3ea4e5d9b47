#!/bin/sh
# Make three databases, each with the one role that may enter it; run by the postgres image on an empty volume.
set -eu
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres \
  --set warehouse="$WAREHOUSE_DB_PASSWORD" --set airflow="$AIRFLOW_DB_PASSWORD" --set erp="$ERP_DB_PASSWORD" <<'SQL'
create role winback login createrole password :'warehouse';  -- builds create bi_reader
create role airflow login password :'airflow';
create role erp login password :'erp';
create database warehouse owner winback;
create database airflow owner airflow;
create database erp owner erp;
revoke connect, temporary on database postgres, template1, warehouse, airflow, erp from public;
SQL
