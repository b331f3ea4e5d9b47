--
-- PostgreSQL database dump
--


-- Dumped from database version 18.6
-- Dumped by pg_dump version 18.6

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: landing; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA landing;


--
-- Name: ops; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA ops;


--
-- Name: quarantine; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA quarantine;


--
-- Name: raw; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA raw;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: batches; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.batches (
    batch_id bigint NOT NULL,
    feed text NOT NULL,
    source_id text NOT NULL,
    business_day date NOT NULL,
    status text NOT NULL,
    file text,
    rows_in bigint,
    rows_inserted bigint,
    rows_updated bigint,
    rows_unchanged bigint,
    rows_superseded bigint,
    rows_quarantined bigint,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    committed_at timestamp with time zone,
    error text,
    CONSTRAINT batches_status_check CHECK ((status = ANY (ARRAY['running'::text, 'committed'::text, 'failed'::text]))),
    CONSTRAINT every_row_has_one_fate CHECK (((status <> 'committed'::text) OR (rows_in = ((((rows_inserted + rows_updated) + rows_unchanged) + rows_superseded) + rows_quarantined))))
);


--
-- Name: batches_batch_id_seq; Type: SEQUENCE; Schema: ops; Owner: -
--

ALTER TABLE ops.batches ALTER COLUMN batch_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.batches_batch_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: builds; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.builds (
    build_id bigint NOT NULL,
    as_of_date date NOT NULL,
    status text NOT NULL,
    stale_feeds text[] DEFAULT '{}'::text[] NOT NULL,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    finished_at timestamp with time zone,
    CONSTRAINT builds_status_check CHECK ((status = ANY (ARRAY['running'::text, 'published'::text, 'failed'::text])))
);


--
-- Name: builds_build_id_seq; Type: SEQUENCE; Schema: ops; Owner: -
--

ALTER TABLE ops.builds ALTER COLUMN build_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.builds_build_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: check_results; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.check_results (
    batch_id bigint NOT NULL,
    feed text NOT NULL,
    expectation text NOT NULL,
    severity text NOT NULL,
    rows_failed bigint NOT NULL,
    rows_total bigint NOT NULL,
    checked_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: deliveries; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.deliveries (
    report text NOT NULL,
    period text NOT NULL,
    recipient text NOT NULL,
    state text NOT NULL,
    message_id text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    first_attempt_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    error text,
    CONSTRAINT deliveries_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'sending'::text, 'sent'::text, 'refused'::text, 'unknown'::text])))
);


--
-- Name: feed_days; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.feed_days (
    source_id text NOT NULL,
    feed text NOT NULL,
    business_day date NOT NULL,
    is_stale boolean NOT NULL,
    loaded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: files; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.files (
    source_id text NOT NULL,
    feed text NOT NULL,
    content_sha256 text NOT NULL,
    file text NOT NULL,
    batch_id bigint NOT NULL
);


--
-- Name: schema_version; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.schema_version (
    version integer NOT NULL
);


--
-- Name: watermarks; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.watermarks (
    source_id text NOT NULL,
    feed text NOT NULL,
    cursor_value timestamp with time zone
);


--
-- Name: account_managers; Type: TABLE; Schema: quarantine; Owner: -
--

CREATE TABLE quarantine.account_managers (
    quarantine_id bigint NOT NULL,
    source_id text NOT NULL,
    load_batch_id bigint NOT NULL,
    row_number bigint NOT NULL,
    reasons text[] NOT NULL,
    typed_values jsonb NOT NULL,
    source_text jsonb,
    quarantined_at timestamp with time zone NOT NULL
);


--
-- Name: account_managers_quarantine_id_seq; Type: SEQUENCE; Schema: quarantine; Owner: -
--

ALTER TABLE quarantine.account_managers ALTER COLUMN quarantine_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME quarantine.account_managers_quarantine_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: balances; Type: TABLE; Schema: quarantine; Owner: -
--

CREATE TABLE quarantine.balances (
    quarantine_id bigint NOT NULL,
    source_id text NOT NULL,
    load_batch_id bigint NOT NULL,
    row_number bigint NOT NULL,
    reasons text[] NOT NULL,
    typed_values jsonb NOT NULL,
    source_text jsonb,
    quarantined_at timestamp with time zone NOT NULL
);


--
-- Name: balances_quarantine_id_seq; Type: SEQUENCE; Schema: quarantine; Owner: -
--

ALTER TABLE quarantine.balances ALTER COLUMN quarantine_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME quarantine.balances_quarantine_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: complaints; Type: TABLE; Schema: quarantine; Owner: -
--

CREATE TABLE quarantine.complaints (
    quarantine_id bigint NOT NULL,
    source_id text NOT NULL,
    load_batch_id bigint NOT NULL,
    row_number bigint NOT NULL,
    reasons text[] NOT NULL,
    typed_values jsonb NOT NULL,
    source_text jsonb,
    quarantined_at timestamp with time zone NOT NULL
);


--
-- Name: complaints_quarantine_id_seq; Type: SEQUENCE; Schema: quarantine; Owner: -
--

ALTER TABLE quarantine.complaints ALTER COLUMN quarantine_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME quarantine.complaints_quarantine_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: contacts; Type: TABLE; Schema: quarantine; Owner: -
--

CREATE TABLE quarantine.contacts (
    quarantine_id bigint NOT NULL,
    source_id text NOT NULL,
    load_batch_id bigint NOT NULL,
    row_number bigint NOT NULL,
    reasons text[] NOT NULL,
    typed_values jsonb NOT NULL,
    source_text jsonb,
    quarantined_at timestamp with time zone NOT NULL
);


--
-- Name: contacts_quarantine_id_seq; Type: SEQUENCE; Schema: quarantine; Owner: -
--

ALTER TABLE quarantine.contacts ALTER COLUMN quarantine_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME quarantine.contacts_quarantine_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: customers; Type: TABLE; Schema: quarantine; Owner: -
--

CREATE TABLE quarantine.customers (
    quarantine_id bigint NOT NULL,
    source_id text NOT NULL,
    load_batch_id bigint NOT NULL,
    row_number bigint NOT NULL,
    reasons text[] NOT NULL,
    typed_values jsonb NOT NULL,
    source_text jsonb,
    quarantined_at timestamp with time zone NOT NULL
);


--
-- Name: customers_quarantine_id_seq; Type: SEQUENCE; Schema: quarantine; Owner: -
--

ALTER TABLE quarantine.customers ALTER COLUMN quarantine_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME quarantine.customers_quarantine_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: events; Type: TABLE; Schema: quarantine; Owner: -
--

CREATE TABLE quarantine.events (
    quarantine_id bigint NOT NULL,
    source_id text NOT NULL,
    load_batch_id bigint NOT NULL,
    row_number bigint NOT NULL,
    reasons text[] NOT NULL,
    typed_values jsonb NOT NULL,
    source_text jsonb,
    quarantined_at timestamp with time zone NOT NULL
);


--
-- Name: events_quarantine_id_seq; Type: SEQUENCE; Schema: quarantine; Owner: -
--

ALTER TABLE quarantine.events ALTER COLUMN quarantine_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME quarantine.events_quarantine_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: exchange_rates; Type: TABLE; Schema: quarantine; Owner: -
--

CREATE TABLE quarantine.exchange_rates (
    quarantine_id bigint NOT NULL,
    source_id text NOT NULL,
    load_batch_id bigint NOT NULL,
    row_number bigint NOT NULL,
    reasons text[] NOT NULL,
    typed_values jsonb NOT NULL,
    source_text jsonb,
    quarantined_at timestamp with time zone NOT NULL
);


--
-- Name: exchange_rates_quarantine_id_seq; Type: SEQUENCE; Schema: quarantine; Owner: -
--

ALTER TABLE quarantine.exchange_rates ALTER COLUMN quarantine_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME quarantine.exchange_rates_quarantine_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: order_lines; Type: TABLE; Schema: quarantine; Owner: -
--

CREATE TABLE quarantine.order_lines (
    quarantine_id bigint NOT NULL,
    source_id text NOT NULL,
    load_batch_id bigint NOT NULL,
    row_number bigint NOT NULL,
    reasons text[] NOT NULL,
    typed_values jsonb NOT NULL,
    source_text jsonb,
    quarantined_at timestamp with time zone NOT NULL
);


--
-- Name: order_lines_quarantine_id_seq; Type: SEQUENCE; Schema: quarantine; Owner: -
--

ALTER TABLE quarantine.order_lines ALTER COLUMN quarantine_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME quarantine.order_lines_quarantine_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: orders; Type: TABLE; Schema: quarantine; Owner: -
--

CREATE TABLE quarantine.orders (
    quarantine_id bigint NOT NULL,
    source_id text NOT NULL,
    load_batch_id bigint NOT NULL,
    row_number bigint NOT NULL,
    reasons text[] NOT NULL,
    typed_values jsonb NOT NULL,
    source_text jsonb,
    quarantined_at timestamp with time zone NOT NULL
);


--
-- Name: orders_quarantine_id_seq; Type: SEQUENCE; Schema: quarantine; Owner: -
--

ALTER TABLE quarantine.orders ALTER COLUMN quarantine_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME quarantine.orders_quarantine_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: products; Type: TABLE; Schema: quarantine; Owner: -
--

CREATE TABLE quarantine.products (
    quarantine_id bigint NOT NULL,
    source_id text NOT NULL,
    load_batch_id bigint NOT NULL,
    row_number bigint NOT NULL,
    reasons text[] NOT NULL,
    typed_values jsonb NOT NULL,
    source_text jsonb,
    quarantined_at timestamp with time zone NOT NULL
);


--
-- Name: products_quarantine_id_seq; Type: SEQUENCE; Schema: quarantine; Owner: -
--

ALTER TABLE quarantine.products ALTER COLUMN quarantine_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME quarantine.products_quarantine_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: regions; Type: TABLE; Schema: quarantine; Owner: -
--

CREATE TABLE quarantine.regions (
    quarantine_id bigint NOT NULL,
    source_id text NOT NULL,
    load_batch_id bigint NOT NULL,
    row_number bigint NOT NULL,
    reasons text[] NOT NULL,
    typed_values jsonb NOT NULL,
    source_text jsonb,
    quarantined_at timestamp with time zone NOT NULL
);


--
-- Name: regions_quarantine_id_seq; Type: SEQUENCE; Schema: quarantine; Owner: -
--

ALTER TABLE quarantine.regions ALTER COLUMN quarantine_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME quarantine.regions_quarantine_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: surveys; Type: TABLE; Schema: quarantine; Owner: -
--

CREATE TABLE quarantine.surveys (
    quarantine_id bigint NOT NULL,
    source_id text NOT NULL,
    load_batch_id bigint NOT NULL,
    row_number bigint NOT NULL,
    reasons text[] NOT NULL,
    typed_values jsonb NOT NULL,
    source_text jsonb,
    quarantined_at timestamp with time zone NOT NULL
);


--
-- Name: surveys_quarantine_id_seq; Type: SEQUENCE; Schema: quarantine; Owner: -
--

ALTER TABLE quarantine.surveys ALTER COLUMN quarantine_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME quarantine.surveys_quarantine_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: account_managers; Type: TABLE; Schema: raw; Owner: -
--

CREATE TABLE raw.account_managers (
    source_id text NOT NULL,
    account_manager_id text NOT NULL,
    name text,
    email text,
    region_id text,
    reports_to text,
    left_on date,
    load_batch_id bigint NOT NULL,
    loaded_at timestamp with time zone NOT NULL
);


--
-- Name: balances; Type: TABLE; Schema: raw; Owner: -
--

CREATE TABLE raw.balances (
    source_id text NOT NULL,
    customer_source_id text NOT NULL,
    customer_id text NOT NULL,
    month date NOT NULL,
    balance numeric,
    load_batch_id bigint NOT NULL,
    loaded_at timestamp with time zone NOT NULL
);


--
-- Name: complaints; Type: TABLE; Schema: raw; Owner: -
--

CREATE TABLE raw.complaints (
    source_id text NOT NULL,
    complaint_id text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    customer_source_id text NOT NULL,
    customer_id text,
    order_source_id text NOT NULL,
    order_id text,
    product_id text,
    batch_no text,
    channel text,
    category text,
    severity text,
    first_response_at timestamp with time zone,
    resolved_at timestamp with time zone,
    reopened_count integer,
    status text,
    satisfaction numeric,
    compensation numeric,
    updated_at timestamp with time zone,
    load_batch_id bigint NOT NULL,
    loaded_at timestamp with time zone NOT NULL
);


--
-- Name: contacts; Type: TABLE; Schema: raw; Owner: -
--

CREATE TABLE raw.contacts (
    source_id text NOT NULL,
    contact_id text NOT NULL,
    customer_source_id text NOT NULL,
    customer_id text NOT NULL,
    contacted_at timestamp with time zone NOT NULL,
    account_manager_id text,
    campaign_id text,
    task_id text,
    channel text,
    outcome text,
    reason_code text,
    competitor text,
    note text,
    load_batch_id bigint NOT NULL,
    loaded_at timestamp with time zone NOT NULL
);


--
-- Name: customers; Type: TABLE; Schema: raw; Owner: -
--

CREATE TABLE raw.customers (
    source_id text NOT NULL,
    customer_id text NOT NULL,
    name text,
    kind text,
    business_line text,
    region_id text,
    account_manager_id text,
    registered_on date,
    gender text,
    birthday date,
    birthday_calendar text,
    phone text,
    email text,
    im_account text,
    preferred_channel text,
    do_not_contact boolean,
    merged_into text,
    closed_on date,
    closed_reason text,
    attributes jsonb,
    updated_at timestamp with time zone,
    load_batch_id bigint NOT NULL,
    loaded_at timestamp with time zone NOT NULL
);


--
-- Name: events; Type: TABLE; Schema: raw; Owner: -
--

CREATE TABLE raw.events (
    source_id text NOT NULL,
    event_id text NOT NULL,
    started_on date NOT NULL,
    ended_on date,
    name text,
    product_id text,
    batch_no text,
    region_id text,
    load_batch_id bigint NOT NULL,
    loaded_at timestamp with time zone NOT NULL
);


--
-- Name: exchange_rates; Type: TABLE; Schema: raw; Owner: -
--

CREATE TABLE raw.exchange_rates (
    source_id text NOT NULL,
    currency text NOT NULL,
    day date NOT NULL,
    rate numeric,
    load_batch_id bigint NOT NULL,
    loaded_at timestamp with time zone NOT NULL
);


--
-- Name: order_lines; Type: TABLE; Schema: raw; Owner: -
--

CREATE TABLE raw.order_lines (
    source_id text NOT NULL,
    order_id text NOT NULL,
    line_no text NOT NULL,
    product_id text,
    batch_no text,
    quantity numeric,
    unit_price numeric,
    discount numeric,
    amount numeric,
    load_batch_id bigint NOT NULL,
    loaded_at timestamp with time zone NOT NULL
);


--
-- Name: orders; Type: TABLE; Schema: raw; Owner: -
--

CREATE TABLE raw.orders (
    source_id text NOT NULL,
    order_id text NOT NULL,
    ordered_at timestamp with time zone NOT NULL,
    amount numeric NOT NULL,
    customer_source_id text NOT NULL,
    customer_id text,
    document_type text,
    status text,
    reverses_order_id text,
    channel text,
    store_id text,
    region_id text,
    promised_at timestamp with time zone,
    delivered_at timestamp with time zone,
    currency text,
    updated_at timestamp with time zone,
    load_batch_id bigint NOT NULL,
    loaded_at timestamp with time zone NOT NULL
);


--
-- Name: products; Type: TABLE; Schema: raw; Owner: -
--

CREATE TABLE raw.products (
    source_id text NOT NULL,
    product_id text NOT NULL,
    name text,
    category text,
    brand text,
    unit_cost numeric,
    launched_on date,
    discontinued_on date,
    load_batch_id bigint NOT NULL,
    loaded_at timestamp with time zone NOT NULL
);


--
-- Name: regions; Type: TABLE; Schema: raw; Owner: -
--

CREATE TABLE raw.regions (
    source_id text NOT NULL,
    region_id text NOT NULL,
    name text,
    parent_region_id text,
    load_batch_id bigint NOT NULL,
    loaded_at timestamp with time zone NOT NULL
);


--
-- Name: surveys; Type: TABLE; Schema: raw; Owner: -
--

CREATE TABLE raw.surveys (
    source_id text NOT NULL,
    survey_id text NOT NULL,
    customer_source_id text NOT NULL,
    customer_id text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    score numeric,
    expected_score numeric,
    scale_max numeric,
    comment text,
    load_batch_id bigint NOT NULL,
    loaded_at timestamp with time zone NOT NULL
);


--
-- Data for Name: batches; Type: TABLE DATA; Schema: ops; Owner: -
--

INSERT INTO ops.batches OVERRIDING SYSTEM VALUE VALUES (1, 'orders', 'erp', '2026-03-02', 'committed', NULL, 2, 2, 0, 0, 0, 0, '2026-11-22 02:03:42.10739+00', '2026-11-22 02:03:45.936653+00', NULL);
INSERT INTO ops.batches OVERRIDING SYSTEM VALUE VALUES (2, 'complaints', 'desk', '2026-03-02', 'committed', '投诉_2026-03-02.csv', 2, 1, 0, 0, 0, 1, '2026-11-22 02:03:45.957038+00', '2026-11-22 02:03:46.334911+00', NULL);
INSERT INTO ops.batches OVERRIDING SYSTEM VALUE VALUES (3, 'orders', 'erp', '2026-03-03', 'committed', NULL, 2, 0, 1, 1, 0, 0, '2026-11-22 02:03:46.362457+00', '2026-11-22 02:03:46.934378+00', NULL);
INSERT INTO ops.batches OVERRIDING SYSTEM VALUE VALUES (4, 'customers', 'erp', '2026-03-02', 'committed', NULL, 2, 2, 0, 0, 0, 0, '2026-11-22 02:03:46.955901+00', '2026-11-22 02:03:46.9547+00', NULL);


--
-- Data for Name: builds; Type: TABLE DATA; Schema: ops; Owner: -
--



--
-- Data for Name: check_results; Type: TABLE DATA; Schema: ops; Owner: -
--

INSERT INTO ops.check_results VALUES (1, 'orders', 'order_id_is_filled', 'reject', 0, 2, '2026-11-22 02:03:45.93558+00');
INSERT INTO ops.check_results VALUES (1, 'orders', 'ordered_at_is_filled', 'reject', 0, 2, '2026-11-22 02:03:45.935787+00');
INSERT INTO ops.check_results VALUES (1, 'orders', 'ordered_at_is_readable', 'reject', 0, 2, '2026-11-22 02:03:45.935816+00');
INSERT INTO ops.check_results VALUES (1, 'orders', 'amount_is_filled', 'reject', 0, 2, '2026-11-22 02:03:45.935835+00');
INSERT INTO ops.check_results VALUES (1, 'orders', 'amount_is_readable', 'reject', 0, 2, '2026-11-22 02:03:45.935854+00');
INSERT INTO ops.check_results VALUES (1, 'orders', 'promised_at_is_readable', 'reject', 0, 2, '2026-11-22 02:03:45.935877+00');
INSERT INTO ops.check_results VALUES (1, 'orders', 'delivered_at_is_readable', 'reject', 0, 2, '2026-11-22 02:03:45.935888+00');
INSERT INTO ops.check_results VALUES (1, 'orders', 'updated_at_is_readable', 'reject', 0, 2, '2026-11-22 02:03:45.935897+00');
INSERT INTO ops.check_results VALUES (1, 'orders', 'status_is_known', 'reject', 0, 2, '2026-11-22 02:03:45.935908+00');
INSERT INTO ops.check_results VALUES (1, 'orders', 'ordered_at_is_not_in_the_future', 'reject', 0, 2, '2026-11-22 02:03:45.935921+00');
INSERT INTO ops.check_results VALUES (1, 'orders', 'delivered_at_is_not_before_ordered_at', 'warn', 0, 2, '2026-11-22 02:03:45.935933+00');
INSERT INTO ops.check_results VALUES (1, 'orders', 'customer_id_is_filled', 'warn', 0, 2, '2026-11-22 02:03:45.935944+00');
INSERT INTO ops.check_results VALUES (2, 'complaints', 'complaint_id_is_filled', 'reject', 0, 2, '2026-11-22 02:03:46.334039+00');
INSERT INTO ops.check_results VALUES (2, 'complaints', 'opened_at_is_filled', 'reject', 1, 2, '2026-11-22 02:03:46.334155+00');
INSERT INTO ops.check_results VALUES (2, 'complaints', 'opened_at_is_readable', 'reject', 1, 2, '2026-11-22 02:03:46.334184+00');
INSERT INTO ops.check_results VALUES (2, 'complaints', 'first_response_at_is_readable', 'reject', 0, 2, '2026-11-22 02:03:46.334209+00');
INSERT INTO ops.check_results VALUES (2, 'complaints', 'resolved_at_is_readable', 'reject', 0, 2, '2026-11-22 02:03:46.334232+00');
INSERT INTO ops.check_results VALUES (2, 'complaints', 'reopened_count_is_readable', 'reject', 0, 2, '2026-11-22 02:03:46.334258+00');
INSERT INTO ops.check_results VALUES (2, 'complaints', 'satisfaction_is_readable', 'reject', 0, 2, '2026-11-22 02:03:46.334271+00');
INSERT INTO ops.check_results VALUES (2, 'complaints', 'compensation_is_readable', 'reject', 0, 2, '2026-11-22 02:03:46.334283+00');
INSERT INTO ops.check_results VALUES (2, 'complaints', 'updated_at_is_readable', 'reject', 0, 2, '2026-11-22 02:03:46.334294+00');
INSERT INTO ops.check_results VALUES (2, 'complaints', 'status_is_known', 'reject', 0, 2, '2026-11-22 02:03:46.334309+00');
INSERT INTO ops.check_results VALUES (2, 'complaints', 'opened_at_is_not_in_the_future', 'reject', 0, 2, '2026-11-22 02:03:46.334321+00');
INSERT INTO ops.check_results VALUES (2, 'complaints', 'resolved_at_is_not_before_opened_at', 'reject', 0, 2, '2026-11-22 02:03:46.334332+00');
INSERT INTO ops.check_results VALUES (2, 'complaints', 'satisfaction_is_from_1_to_5', 'reject', 0, 2, '2026-11-22 02:03:46.334344+00');
INSERT INTO ops.check_results VALUES (2, 'complaints', 'customer_id_is_filled', 'warn', 0, 2, '2026-11-22 02:03:46.334354+00');
INSERT INTO ops.check_results VALUES (3, 'orders', 'order_id_is_filled', 'reject', 0, 2, '2026-11-22 02:03:46.933365+00');
INSERT INTO ops.check_results VALUES (3, 'orders', 'ordered_at_is_filled', 'reject', 0, 2, '2026-11-22 02:03:46.933464+00');
INSERT INTO ops.check_results VALUES (3, 'orders', 'ordered_at_is_readable', 'reject', 0, 2, '2026-11-22 02:03:46.933488+00');
INSERT INTO ops.check_results VALUES (3, 'orders', 'amount_is_filled', 'reject', 0, 2, '2026-11-22 02:03:46.933511+00');
INSERT INTO ops.check_results VALUES (3, 'orders', 'amount_is_readable', 'reject', 0, 2, '2026-11-22 02:03:46.933533+00');
INSERT INTO ops.check_results VALUES (3, 'orders', 'promised_at_is_readable', 'reject', 0, 2, '2026-11-22 02:03:46.933558+00');
INSERT INTO ops.check_results VALUES (3, 'orders', 'delivered_at_is_readable', 'reject', 0, 2, '2026-11-22 02:03:46.93357+00');
INSERT INTO ops.check_results VALUES (3, 'orders', 'updated_at_is_readable', 'reject', 0, 2, '2026-11-22 02:03:46.933581+00');
INSERT INTO ops.check_results VALUES (3, 'orders', 'status_is_known', 'reject', 0, 2, '2026-11-22 02:03:46.9336+00');
INSERT INTO ops.check_results VALUES (3, 'orders', 'ordered_at_is_not_in_the_future', 'reject', 0, 2, '2026-11-22 02:03:46.933623+00');
INSERT INTO ops.check_results VALUES (3, 'orders', 'delivered_at_is_not_before_ordered_at', 'warn', 0, 2, '2026-11-22 02:03:46.933636+00');
INSERT INTO ops.check_results VALUES (3, 'orders', 'customer_id_is_filled', 'warn', 0, 2, '2026-11-22 02:03:46.933647+00');


--
-- Data for Name: deliveries; Type: TABLE DATA; Schema: ops; Owner: -
--



--
-- Data for Name: feed_days; Type: TABLE DATA; Schema: ops; Owner: -
--

INSERT INTO ops.feed_days VALUES ('erp', 'orders', '2026-03-02', false, '2026-11-22 02:03:45.934898+00');
INSERT INTO ops.feed_days VALUES ('desk', 'complaints', '2026-03-02', false, '2026-11-22 02:03:46.343508+00');
INSERT INTO ops.feed_days VALUES ('erp', 'orders', '2026-03-03', false, '2026-11-22 02:03:46.932776+00');


--
-- Data for Name: files; Type: TABLE DATA; Schema: ops; Owner: -
--

INSERT INTO ops.files VALUES ('desk', 'complaints', 'ecb40457789f737603798da589d092a72d221ee2f01e5b0257503b84e709fad3', '投诉_2026-03-02.csv', 2);


--
-- Data for Name: schema_version; Type: TABLE DATA; Schema: ops; Owner: -
--

INSERT INTO ops.schema_version VALUES (1);


--
-- Data for Name: watermarks; Type: TABLE DATA; Schema: ops; Owner: -
--

INSERT INTO ops.watermarks VALUES ('desk', 'complaints', NULL);
INSERT INTO ops.watermarks VALUES ('erp', 'orders', '2026-03-03 02:00:00+00');


--
-- Data for Name: account_managers; Type: TABLE DATA; Schema: quarantine; Owner: -
--



--
-- Data for Name: balances; Type: TABLE DATA; Schema: quarantine; Owner: -
--



--
-- Data for Name: complaints; Type: TABLE DATA; Schema: quarantine; Owner: -
--

INSERT INTO quarantine.complaints OVERRIDING SYSTEM VALUE VALUES (1, 'desk', 2, 2, '{opened_at_is_filled,opened_at_is_readable}', '{"status": "处理中", "channel": null, "batch_no": null, "category": null, "order_id": null, "severity": null, "opened_at": null, "product_id": null, "updated_at": null, "customer_id": "C2", "resolved_at": null, "compensation": null, "complaint_id": "T2", "satisfaction": null, "reopened_count": null, "order_source_id": null, "first_response_at": null, "customer_source_id": "erp"}', '{"客户": "C2", "时间": "昨天", "状态": "处理中", "编号": "T2", "满意度": null}', '2026-11-22 02:03:46.328939+00');


--
-- Data for Name: contacts; Type: TABLE DATA; Schema: quarantine; Owner: -
--



--
-- Data for Name: customers; Type: TABLE DATA; Schema: quarantine; Owner: -
--



--
-- Data for Name: events; Type: TABLE DATA; Schema: quarantine; Owner: -
--



--
-- Data for Name: exchange_rates; Type: TABLE DATA; Schema: quarantine; Owner: -
--



--
-- Data for Name: order_lines; Type: TABLE DATA; Schema: quarantine; Owner: -
--



--
-- Data for Name: orders; Type: TABLE DATA; Schema: quarantine; Owner: -
--



--
-- Data for Name: products; Type: TABLE DATA; Schema: quarantine; Owner: -
--



--
-- Data for Name: regions; Type: TABLE DATA; Schema: quarantine; Owner: -
--



--
-- Data for Name: surveys; Type: TABLE DATA; Schema: quarantine; Owner: -
--



--
-- Data for Name: account_managers; Type: TABLE DATA; Schema: raw; Owner: -
--

INSERT INTO raw.account_managers VALUES ('erp', 'M1', 'Manager One', NULL, 'EAST', NULL, NULL, 4, '2026-11-22 02:03:46.9547+00');


--
-- Data for Name: balances; Type: TABLE DATA; Schema: raw; Owner: -
--



--
-- Data for Name: complaints; Type: TABLE DATA; Schema: raw; Owner: -
--

INSERT INTO raw.complaints VALUES ('desk', 'T1', '2026-03-02 02:00:00+00', 'erp', 'C1', 'desk', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '已结案', 4, NULL, NULL, 2, '2026-11-22 02:03:46.333233+00');


--
-- Data for Name: contacts; Type: TABLE DATA; Schema: raw; Owner: -
--



--
-- Data for Name: customers; Type: TABLE DATA; Schema: raw; Owner: -
--

INSERT INTO raw.customers VALUES ('erp', 'C1', 'Customer One', NULL, NULL, 'EAST', 'M1', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 4, '2026-11-22 02:03:46.9547+00');
INSERT INTO raw.customers VALUES ('erp', 'C2', 'Customer Two', NULL, NULL, 'WEST', 'M2', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 4, '2026-11-22 02:03:46.9547+00');


--
-- Data for Name: events; Type: TABLE DATA; Schema: raw; Owner: -
--



--
-- Data for Name: exchange_rates; Type: TABLE DATA; Schema: raw; Owner: -
--



--
-- Data for Name: order_lines; Type: TABLE DATA; Schema: raw; Owner: -
--



--
-- Data for Name: orders; Type: TABLE DATA; Schema: raw; Owner: -
--

INSERT INTO raw.orders VALUES ('erp', 'A1', '2026-03-01 16:30:00+00', 12.50, 'erp', 'C1', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-03-01 16:30:00+00', 1, '2026-11-22 02:03:45.933423+00');
INSERT INTO raw.orders VALUES ('erp', 'A2', '2026-03-02 02:00:00+00', 9, 'erp', 'C2', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-03-03 02:00:00+00', 3, '2026-11-22 02:03:46.931489+00');


--
-- Data for Name: products; Type: TABLE DATA; Schema: raw; Owner: -
--



--
-- Data for Name: regions; Type: TABLE DATA; Schema: raw; Owner: -
--



--
-- Data for Name: surveys; Type: TABLE DATA; Schema: raw; Owner: -
--



--
-- Name: batches_batch_id_seq; Type: SEQUENCE SET; Schema: ops; Owner: -
--

SELECT pg_catalog.setval('ops.batches_batch_id_seq', 4, true);


--
-- Name: builds_build_id_seq; Type: SEQUENCE SET; Schema: ops; Owner: -
--

SELECT pg_catalog.setval('ops.builds_build_id_seq', 1, false);


--
-- Name: account_managers_quarantine_id_seq; Type: SEQUENCE SET; Schema: quarantine; Owner: -
--

SELECT pg_catalog.setval('quarantine.account_managers_quarantine_id_seq', 1, false);


--
-- Name: balances_quarantine_id_seq; Type: SEQUENCE SET; Schema: quarantine; Owner: -
--

SELECT pg_catalog.setval('quarantine.balances_quarantine_id_seq', 1, false);


--
-- Name: complaints_quarantine_id_seq; Type: SEQUENCE SET; Schema: quarantine; Owner: -
--

SELECT pg_catalog.setval('quarantine.complaints_quarantine_id_seq', 1, true);


--
-- Name: contacts_quarantine_id_seq; Type: SEQUENCE SET; Schema: quarantine; Owner: -
--

SELECT pg_catalog.setval('quarantine.contacts_quarantine_id_seq', 1, false);


--
-- Name: customers_quarantine_id_seq; Type: SEQUENCE SET; Schema: quarantine; Owner: -
--

SELECT pg_catalog.setval('quarantine.customers_quarantine_id_seq', 1, false);


--
-- Name: events_quarantine_id_seq; Type: SEQUENCE SET; Schema: quarantine; Owner: -
--

SELECT pg_catalog.setval('quarantine.events_quarantine_id_seq', 1, false);


--
-- Name: exchange_rates_quarantine_id_seq; Type: SEQUENCE SET; Schema: quarantine; Owner: -
--

SELECT pg_catalog.setval('quarantine.exchange_rates_quarantine_id_seq', 1, false);


--
-- Name: order_lines_quarantine_id_seq; Type: SEQUENCE SET; Schema: quarantine; Owner: -
--

SELECT pg_catalog.setval('quarantine.order_lines_quarantine_id_seq', 1, false);


--
-- Name: orders_quarantine_id_seq; Type: SEQUENCE SET; Schema: quarantine; Owner: -
--

SELECT pg_catalog.setval('quarantine.orders_quarantine_id_seq', 1, false);


--
-- Name: products_quarantine_id_seq; Type: SEQUENCE SET; Schema: quarantine; Owner: -
--

SELECT pg_catalog.setval('quarantine.products_quarantine_id_seq', 1, false);


--
-- Name: regions_quarantine_id_seq; Type: SEQUENCE SET; Schema: quarantine; Owner: -
--

SELECT pg_catalog.setval('quarantine.regions_quarantine_id_seq', 1, false);


--
-- Name: surveys_quarantine_id_seq; Type: SEQUENCE SET; Schema: quarantine; Owner: -
--

SELECT pg_catalog.setval('quarantine.surveys_quarantine_id_seq', 1, false);


--
-- Name: batches batches_pkey; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.batches
    ADD CONSTRAINT batches_pkey PRIMARY KEY (batch_id);


--
-- Name: builds builds_pkey; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.builds
    ADD CONSTRAINT builds_pkey PRIMARY KEY (build_id);


--
-- Name: check_results check_results_pkey; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.check_results
    ADD CONSTRAINT check_results_pkey PRIMARY KEY (batch_id, expectation);


--
-- Name: deliveries deliveries_pkey; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (report, period, recipient);


--
-- Name: feed_days feed_days_pkey; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.feed_days
    ADD CONSTRAINT feed_days_pkey PRIMARY KEY (source_id, feed, business_day);


--
-- Name: files files_pkey; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.files
    ADD CONSTRAINT files_pkey PRIMARY KEY (source_id, feed, content_sha256);


--
-- Name: watermarks watermarks_pkey; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.watermarks
    ADD CONSTRAINT watermarks_pkey PRIMARY KEY (source_id, feed);


--
-- Name: account_managers account_managers_pkey; Type: CONSTRAINT; Schema: quarantine; Owner: -
--

ALTER TABLE ONLY quarantine.account_managers
    ADD CONSTRAINT account_managers_pkey PRIMARY KEY (quarantine_id);


--
-- Name: balances balances_pkey; Type: CONSTRAINT; Schema: quarantine; Owner: -
--

ALTER TABLE ONLY quarantine.balances
    ADD CONSTRAINT balances_pkey PRIMARY KEY (quarantine_id);


--
-- Name: complaints complaints_pkey; Type: CONSTRAINT; Schema: quarantine; Owner: -
--

ALTER TABLE ONLY quarantine.complaints
    ADD CONSTRAINT complaints_pkey PRIMARY KEY (quarantine_id);


--
-- Name: contacts contacts_pkey; Type: CONSTRAINT; Schema: quarantine; Owner: -
--

ALTER TABLE ONLY quarantine.contacts
    ADD CONSTRAINT contacts_pkey PRIMARY KEY (quarantine_id);


--
-- Name: customers customers_pkey; Type: CONSTRAINT; Schema: quarantine; Owner: -
--

ALTER TABLE ONLY quarantine.customers
    ADD CONSTRAINT customers_pkey PRIMARY KEY (quarantine_id);


--
-- Name: events events_pkey; Type: CONSTRAINT; Schema: quarantine; Owner: -
--

ALTER TABLE ONLY quarantine.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (quarantine_id);


--
-- Name: exchange_rates exchange_rates_pkey; Type: CONSTRAINT; Schema: quarantine; Owner: -
--

ALTER TABLE ONLY quarantine.exchange_rates
    ADD CONSTRAINT exchange_rates_pkey PRIMARY KEY (quarantine_id);


--
-- Name: order_lines order_lines_pkey; Type: CONSTRAINT; Schema: quarantine; Owner: -
--

ALTER TABLE ONLY quarantine.order_lines
    ADD CONSTRAINT order_lines_pkey PRIMARY KEY (quarantine_id);


--
-- Name: orders orders_pkey; Type: CONSTRAINT; Schema: quarantine; Owner: -
--

ALTER TABLE ONLY quarantine.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (quarantine_id);


--
-- Name: products products_pkey; Type: CONSTRAINT; Schema: quarantine; Owner: -
--

ALTER TABLE ONLY quarantine.products
    ADD CONSTRAINT products_pkey PRIMARY KEY (quarantine_id);


--
-- Name: regions regions_pkey; Type: CONSTRAINT; Schema: quarantine; Owner: -
--

ALTER TABLE ONLY quarantine.regions
    ADD CONSTRAINT regions_pkey PRIMARY KEY (quarantine_id);


--
-- Name: surveys surveys_pkey; Type: CONSTRAINT; Schema: quarantine; Owner: -
--

ALTER TABLE ONLY quarantine.surveys
    ADD CONSTRAINT surveys_pkey PRIMARY KEY (quarantine_id);


--
-- Name: account_managers account_managers_pkey; Type: CONSTRAINT; Schema: raw; Owner: -
--

ALTER TABLE ONLY raw.account_managers
    ADD CONSTRAINT account_managers_pkey PRIMARY KEY (source_id, account_manager_id);


--
-- Name: balances balances_pkey; Type: CONSTRAINT; Schema: raw; Owner: -
--

ALTER TABLE ONLY raw.balances
    ADD CONSTRAINT balances_pkey PRIMARY KEY (source_id, customer_id, month);


--
-- Name: complaints complaints_pkey; Type: CONSTRAINT; Schema: raw; Owner: -
--

ALTER TABLE ONLY raw.complaints
    ADD CONSTRAINT complaints_pkey PRIMARY KEY (source_id, complaint_id);


--
-- Name: contacts contacts_pkey; Type: CONSTRAINT; Schema: raw; Owner: -
--

ALTER TABLE ONLY raw.contacts
    ADD CONSTRAINT contacts_pkey PRIMARY KEY (source_id, contact_id);


--
-- Name: customers customers_pkey; Type: CONSTRAINT; Schema: raw; Owner: -
--

ALTER TABLE ONLY raw.customers
    ADD CONSTRAINT customers_pkey PRIMARY KEY (source_id, customer_id);


--
-- Name: events events_pkey; Type: CONSTRAINT; Schema: raw; Owner: -
--

ALTER TABLE ONLY raw.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (source_id, event_id);


--
-- Name: exchange_rates exchange_rates_pkey; Type: CONSTRAINT; Schema: raw; Owner: -
--

ALTER TABLE ONLY raw.exchange_rates
    ADD CONSTRAINT exchange_rates_pkey PRIMARY KEY (source_id, currency, day);


--
-- Name: order_lines order_lines_pkey; Type: CONSTRAINT; Schema: raw; Owner: -
--

ALTER TABLE ONLY raw.order_lines
    ADD CONSTRAINT order_lines_pkey PRIMARY KEY (source_id, order_id, line_no);


--
-- Name: orders orders_pkey; Type: CONSTRAINT; Schema: raw; Owner: -
--

ALTER TABLE ONLY raw.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (source_id, order_id);


--
-- Name: products products_pkey; Type: CONSTRAINT; Schema: raw; Owner: -
--

ALTER TABLE ONLY raw.products
    ADD CONSTRAINT products_pkey PRIMARY KEY (source_id, product_id);


--
-- Name: regions regions_pkey; Type: CONSTRAINT; Schema: raw; Owner: -
--

ALTER TABLE ONLY raw.regions
    ADD CONSTRAINT regions_pkey PRIMARY KEY (source_id, region_id);


--
-- Name: surveys surveys_pkey; Type: CONSTRAINT; Schema: raw; Owner: -
--

ALTER TABLE ONLY raw.surveys
    ADD CONSTRAINT surveys_pkey PRIMARY KEY (source_id, survey_id);


--
-- Name: batches_by_feed; Type: INDEX; Schema: ops; Owner: -
--

CREATE INDEX batches_by_feed ON ops.batches USING btree (feed, source_id, business_day);


--
-- PostgreSQL database dump complete
--


