create table archive_batch (
  number bigint not null,
  file text not null,
  manifest_sha256 text not null,
  older_than timestamp with time zone not null,
  lines jsonb not null,
  archived_at timestamp with time zone not null,
  constraint archive_batch_pkey PRIMARY KEY (number),
  constraint archive_batch_manifest_sha256_check CHECK ((manifest_sha256 ~ '^[0-9a-f]{64}$'::text)),
  constraint archive_batch_number_check CHECK ((number >= 1))
);

create table archive_going (
  consent_id text not null,
  constraint archive_going_pkey PRIMARY KEY (consent_id)
);

create table audit_checkpoint (
  id bigint generated always as identity not null,
  size bigint not null,
  signed_at timestamp with time zone not null,
  hour timestamp with time zone,
  note text not null,
  constraint audit_checkpoint_hour_key UNIQUE (hour),
  constraint audit_checkpoint_size_key UNIQUE (size),
  constraint audit_checkpoint_pkey PRIMARY KEY (id),
  constraint audit_checkpoint_size_check CHECK ((size > 0))
);
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_checkpoint FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

create table audit_cosignature (
  checkpoint_id bigint not null,
  witness text not null,
  cosigned_at timestamp with time zone not null,
  line text not null,
  constraint audit_cosignature_pkey PRIMARY KEY (checkpoint_id, witness),
  constraint audit_cosignature_checkpoint_id_fkey FOREIGN KEY (checkpoint_id) REFERENCES audit_checkpoint(id)
);
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_cosignature FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

create table audit_entry (
  id bigint default nextval('audit_entry_id'::regclass) not null,
  accepted_at timestamp with time zone default clock_timestamp() not null,
  bytes bytea not null,
  interaction_id uuid,
  constraint audit_entry_pkey PRIMARY KEY (id),
  constraint audit_entry_bytes_check CHECK (((octet_length(bytes) >= 2) AND (octet_length(bytes) <= 65535)))
);
CREATE INDEX audit_entry_interaction ON public.audit_entry USING btree (interaction_id) WHERE (interaction_id IS NOT NULL);
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_entry FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

create table audit_head (
  is_head boolean default true not null,
  size bigint not null,
  edge bytea[] not null,
  constraint audit_head_pkey PRIMARY KEY (is_head),
  constraint audit_head_is_head_check CHECK (is_head),
  constraint audit_head_size_check CHECK ((size >= 0))
);
CREATE TRIGGER append_only BEFORE INSERT OR DELETE OR TRUNCATE ON public.audit_head FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

create table audit_key (
  index bigint not null,
  public_key text not null,
  constraint audit_key_public_key_key UNIQUE (public_key),
  constraint audit_key_pkey PRIMARY KEY (index),
  constraint audit_key_index_check CHECK ((index >= 0))
);
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_key FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

create table audit_leaf (
  index bigint not null,
  entry_id bigint not null,
  constraint audit_leaf_entry_id_key UNIQUE (entry_id),
  constraint audit_leaf_pkey PRIMARY KEY (index),
  constraint audit_leaf_index_check CHECK ((index >= 0))
);
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_leaf FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

create table audit_opening (
  entry_id bigint not null,
  field text not null,
  salt bytea not null,
  value text not null,
  constraint audit_opening_pkey PRIMARY KEY (entry_id, field),
  constraint audit_opening_salt_check CHECK ((octet_length(salt) = 16))
);
CREATE INDEX audit_opening_value ON public.audit_opening USING btree (value, field);
CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON public.audit_opening FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

create table audit_pending (
  entry_id bigint not null,
  constraint audit_pending_pkey PRIMARY KEY (entry_id)
);
CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON public.audit_pending FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

create table audit_tile (
  level smallint not null,
  n bigint not null,
  hashes bytea not null,
  constraint audit_tile_pkey PRIMARY KEY (level, n),
  constraint audit_tile_hashes_check CHECK ((octet_length(hashes) = 8192)),
  constraint audit_tile_level_check CHECK (((level >= 0) AND (level <= 63))),
  constraint audit_tile_n_check CHECK ((n >= 0))
);
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_tile FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

create table client (
  client_id text not null,
  software_statement_id text not null,
  status text not null,
  registered_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  revoked_tokens jsonb,
  constraint client_software_statement_id_key UNIQUE (software_statement_id),
  constraint client_pkey PRIMARY KEY (client_id),
  constraint client_software_statement_id_fkey FOREIGN KEY (software_statement_id) REFERENCES software_statement(software_statement_id),
  constraint client_status_check CHECK ((status = ANY (ARRAY['inactive'::text, 'active'::text, 'blocked'::text])))
);

create table consent (
  id text not null,
  type text not null,
  rar_type text not null,
  client_id text not null,
  organisation_id text not null,
  base_consent_id text,
  request json not null,
  request_headers json not null,
  request_url text not null,
  tpp json not null,
  scope text not null,
  subscription jsonb,
  is_large_corporate boolean,
  supplementary_information jsonb,
  par_id text,
  interaction_id text,
  completed_at timestamp with time zone,
  grant_id text,
  status text not null,
  psu jsonb,
  psu_user_id text generated always as ((psu ->> 'userId'::text)) stored,
  account_ids text[] default '{}'::text[] not null,
  channel text,
  authorized_at timestamp with time zone,
  rejected_for text,
  revoked_by text,
  created_at timestamp with time zone not null,
  authorize_by timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  status_changed_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  last_data_shared_at timestamp with time zone,
  last_service_initiation_at timestamp with time zone,
  revision integer not null,
  due_at timestamp with time zone generated always as (
CASE
    WHEN (status = 'AwaitingAuthorization'::text) THEN LEAST(authorize_by, expires_at)
    WHEN (status = ANY (ARRAY['Authorized'::text, 'Suspended'::text])) THEN expires_at
    ELSE NULL::timestamp with time zone
END) stored,
  revoked_tokens jsonb,
  authorizers jsonb,
  charges jsonb,
  exchange_rate jsonb,
  consumption jsonb,
  connect_token text,
  payment_ids text[] default '{}'::text[] not null,
  constraint consent_grant_id_key UNIQUE (grant_id),
  constraint consent_interaction_id_key UNIQUE (interaction_id),
  constraint consent_par_id_key UNIQUE (par_id),
  constraint consent_pkey PRIMARY KEY (id),
  constraint consent_agreed CHECK (((authorizers IS NULL) OR (authorized_at IS NULL) OR ((NOT jsonb_path_exists(authorizers, '$."Authorizations"[*]?(@."AuthorizationStatus" == "Rejected")'::jsonpath)) AND ((jsonb_array_length(jsonb_path_query_array(authorizers, '$."Authorizations"[*]?(@."AuthorizationStatus" == "Approved")'::jsonpath)))::numeric >= GREATEST((1)::numeric, COALESCE(((authorizers ->> 'TotalRequired'::text))::numeric, (jsonb_array_length((authorizers -> 'Authorizations'::text)))::numeric)))))),
  constraint consent_channel_check CHECK ((channel = ANY (ARRAY['App'::text, 'Web'::text]))),
  constraint consent_completed CHECK (((completed_at IS NULL) OR (interaction_id IS NOT NULL))),
  constraint consent_consumed CHECK (((status <> 'Consumed'::text) OR (type = 'service-initiation'::text))),
  constraint consent_debtor CHECK (((type <> 'service-initiation'::text) OR (cardinality(account_ids) <= 1))),
  constraint consent_ended CHECK (((status = ANY (ARRAY['AwaitingAuthorization'::text, 'Authorized'::text, 'Suspended'::text])) OR (grant_id IS NULL))),
  constraint consent_granted CHECK (((authorized_at IS NULL) OR ((psu IS NOT NULL) AND (cardinality(account_ids) >= 1) AND (channel IS NOT NULL)))),
  constraint consent_granted_status CHECK (
CASE
    WHEN (status = ANY (ARRAY['Authorized'::text, 'Suspended'::text, 'Consumed'::text])) THEN (authorized_at IS NOT NULL)
    WHEN (status = ANY (ARRAY['AwaitingAuthorization'::text, 'Rejected'::text])) THEN (authorized_at IS NULL)
    ELSE true
END),
  constraint consent_id_check CHECK (((length(id) >= 1) AND (length(id) <= 128))),
  constraint consent_payment CHECK (((type = 'service-initiation'::text) OR ((num_nonnulls(authorizers, charges, exchange_rate, consumption, connect_token) + cardinality(payment_ids)) = 0))),
  constraint consent_psu_check CHECK (((psu IS NULL) OR (NOT (jsonb_typeof((psu -> 'userId'::text)) IS DISTINCT FROM 'string'::text)))),
  constraint consent_rar_type CHECK ((rar_type ~~ (('urn:openfinanceuae:'::text || type) || '-consent:v%'::text))),
  constraint consent_rejected CHECK (((status = 'Rejected'::text) = (rejected_for IS NOT NULL))),
  constraint consent_rejected_for_check CHECK ((rejected_for = ANY (ARRAY['refused'::text, 'lapsed'::text]))),
  constraint consent_revision_check CHECK ((revision >= 1)),
  constraint consent_revoked CHECK (((status = 'Revoked'::text) = (revoked_by IS NOT NULL))),
  constraint consent_revoked_by_check CHECK ((revoked_by = ANY (ARRAY['LFI'::text, 'TPP'::text, 'LFI.InitiatedByUser'::text, 'TPP.InitiatedByUser'::text]))),
  constraint consent_several CHECK (((authorizers IS NULL) OR (NOT ((request #>> '{consent,IsSingleAuthorization}'::text[]) IS DISTINCT FROM 'false'::text)))),
  constraint consent_status_check CHECK ((status = ANY (ARRAY['AwaitingAuthorization'::text, 'Authorized'::text, 'Rejected'::text, 'Suspended'::text, 'Revoked'::text, 'Expired'::text, 'Consumed'::text]))),
  constraint consent_type_check CHECK ((type = ANY (ARRAY['account-access'::text, 'service-initiation'::text, 'insurance'::text])))
);
CREATE INDEX consent_account ON public.consent USING gin (account_ids);
CREATE INDEX consent_client_created ON public.consent USING btree (client_id, created_at DESC, id);
CREATE INDEX consent_created ON public.consent USING btree (created_at DESC, id);
CREATE INDEX consent_due ON public.consent USING btree (due_at) INCLUDE (id, type, status, created_at, updated_at, authorize_by, expires_at) WHERE (due_at IS NOT NULL);
CREATE INDEX consent_group ON public.consent USING btree (base_consent_id);
CREATE INDEX consent_kind_created ON public.consent USING btree (type, status, created_at DESC, id) INCLUDE (due_at);
CREATE INDEX consent_kind_updated ON public.consent USING btree (type, status, updated_at, id) INCLUDE (due_at);
CREATE INDEX consent_psu ON public.consent USING btree (psu_user_id);
CREATE INDEX consent_updated ON public.consent USING btree (updated_at, id);
CREATE UNIQUE INDEX consent_id_folded ON public.consent USING btree (lower(id));
CREATE TRIGGER consent_ahead_changed AFTER UPDATE ON public.consent REFERENCING OLD TABLE AS before_it NEW TABLE AS after_it FOR EACH STATEMENT EXECUTE FUNCTION consent_ahead_changed();
CREATE TRIGGER consent_ahead_emptied AFTER TRUNCATE ON public.consent FOR EACH STATEMENT EXECUTE FUNCTION consent_ahead_emptied();
CREATE TRIGGER consent_ahead_gone AFTER DELETE ON public.consent REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION consent_ahead_gone();
CREATE TRIGGER consent_ahead_new AFTER INSERT ON public.consent REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION consent_ahead_new();
CREATE TRIGGER consent_keep BEFORE UPDATE ON public.consent FOR EACH ROW EXECUTE FUNCTION consent_keep();
CREATE TRIGGER consent_remember_change AFTER UPDATE ON public.consent FOR EACH ROW WHEN ((new.revision IS DISTINCT FROM old.revision)) EXECUTE FUNCTION consent_remember();
CREATE TRIGGER consent_remember_new AFTER INSERT ON public.consent FOR EACH ROW EXECUTE FUNCTION consent_remember();
CREATE TRIGGER consent_tally_changed AFTER UPDATE ON public.consent REFERENCING OLD TABLE AS before_it NEW TABLE AS after_it FOR EACH STATEMENT EXECUTE FUNCTION consent_tally_changed();
CREATE TRIGGER consent_tally_emptied AFTER TRUNCATE ON public.consent FOR EACH STATEMENT EXECUTE FUNCTION consent_tally_emptied();
CREATE TRIGGER consent_tally_gone AFTER DELETE ON public.consent REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION consent_tally_gone();
CREATE TRIGGER consent_tally_new AFTER INSERT ON public.consent REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION consent_tally_new();

create table consent_ahead (
  id bigint generated always as identity not null,
  until timestamp with time zone not null,
  counted boolean default false not null,
  constraint consent_ahead_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX consent_ahead_open ON public.consent_ahead USING btree (counted) WHERE (NOT counted);

create table consent_ahead_line (
  ahead bigint not null,
  list text not null,
  span smallint not null,
  slot integer not null,
  type text not null,
  status text not null,
  delta bigint not null,
  folded boolean default false not null,
  constraint consent_ahead_line_list_check CHECK ((list = ANY (ARRAY['created'::text, 'updated'::text]))),
  constraint consent_ahead_line_span_check CHECK ((span = ANY (ARRAY[12, 17, 22])))
);
CREATE INDEX consent_ahead_line_place ON public.consent_ahead_line USING btree (ahead, list, span, slot);

create table consent_slot (
  list text not null,
  span smallint not null,
  slot integer not null,
  type text not null,
  status text not null,
  delta bigint not null,
  folded boolean default false not null,
  constraint consent_slot_list_check CHECK ((list = ANY (ARRAY['created'::text, 'updated'::text]))),
  constraint consent_slot_span_check CHECK ((span = ANY (ARRAY[12, 17, 22])))
);
CREATE INDEX consent_slot_fresh ON public.consent_slot USING btree (slot) WHERE (NOT folded);
CREATE INDEX consent_slot_place ON public.consent_slot USING btree (list, span, slot);

create table consent_tally (
  type text not null,
  status text not null,
  delta bigint not null
);

create table consent_trail (
  id bigint generated always as identity not null,
  consent_id text not null,
  revision integer not null,
  at timestamp with time zone not null,
  change text not null,
  status_from text,
  status_to text not null,
  patch json not null,
  caller_kind text not null,
  caller_organisation_id text,
  caller_client_id text,
  caller_software_statement_id text,
  interaction_id text,
  constraint consent_trail_consent_id_revision_key UNIQUE (consent_id, revision),
  constraint consent_trail_pkey PRIMARY KEY (id),
  constraint consent_trail_consent_id_fkey FOREIGN KEY (consent_id) REFERENCES consent(id),
  constraint consent_trail_caller_kind_check CHECK ((caller_kind = ANY (ARRAY['tpp'::text, 'lfi'::text, 'hub'::text, 'operator'::text])))
);
CREATE TRIGGER consent_trail_keep BEFORE DELETE OR UPDATE ON public.consent_trail FOR EACH ROW EXECUTE FUNCTION consent_trail_keep();

create table consent_version (
  consent_id text not null,
  revision integer not null,
  at timestamp with time zone not null,
  state jsonb not null,
  constraint consent_version_pkey PRIMARY KEY (consent_id, revision),
  constraint consent_version_consent_id_fkey FOREIGN KEY (consent_id) REFERENCES consent(id)
);
CREATE TRIGGER consent_version_keep BEFORE UPDATE ON public.consent_version FOR EACH ROW EXECUTE FUNCTION consent_version_keep();

create table deviation (
  operation_id text not null,
  path text not null,
  rule text not null,
  count bigint not null,
  first_at timestamp with time zone not null,
  last_at timestamp with time zone not null,
  constraint deviation_pkey PRIMARY KEY (operation_id, path, rule),
  constraint deviation_count_check CHECK ((count > 0)),
  constraint deviation_operation_id_check CHECK (((length(operation_id) >= 1) AND (length(operation_id) <= 128))),
  constraint deviation_path_check CHECK ((length(path) <= 300)),
  constraint deviation_rule_check CHECK (((length(rule) >= 1) AND (length(rule) <= 40)))
);

create table dpop_proof (
  id bytea not null,
  expires_at timestamp with time zone not null,
  constraint dpop_proof_pkey PRIMARY KEY (id)
);
CREATE INDEX dpop_proof_expiry ON public.dpop_proof USING btree (expires_at);

create table lfi_endpoint (
  name text not null,
  version integer not null,
  before text not null,
  after text,
  set_at timestamp with time zone not null,
  proposed_by text not null,
  approved_by text not null,
  constraint lfi_endpoint_pkey PRIMARY KEY (name, version),
  constraint lfi_endpoint_four_eyes CHECK ((approved_by <> proposed_by)),
  constraint lfi_endpoint_name_check CHECK ((name = ANY (ARRAY['ozone-connect'::text, 'authorization'::text, 'token'::text]))),
  constraint lfi_endpoint_version_check CHECK ((version > 0))
);

create table oidc_model (
  model text not null,
  id text not null,
  payload jsonb not null,
  grant_id text,
  consumed_at timestamp with time zone,
  expires_at timestamp with time zone not null,
  constraint oidc_model_pkey PRIMARY KEY (model, id)
);
CREATE INDEX oidc_model_expiry ON public.oidc_model USING btree (expires_at);
CREATE INDEX oidc_model_grant ON public.oidc_model USING btree (grant_id) WHERE (grant_id IS NOT NULL);

create table outage (
  id uuid not null,
  subject text not null,
  kind text not null,
  starts_at timestamp with time zone not null,
  ends_at timestamp with time zone,
  reason text not null,
  declared_at timestamp with time zone not null,
  constraint outage_pkey PRIMARY KEY (id),
  constraint outage_kind_check CHECK ((kind = ANY (ARRAY['planned'::text, 'unplanned'::text]))),
  constraint outage_order CHECK (((ends_at IS NULL) OR (ends_at >= starts_at))),
  constraint outage_planned CHECK (((kind = 'unplanned'::text) OR (ends_at IS NOT NULL))),
  constraint outage_reason_check CHECK (((length(reason) >= 1) AND (length(reason) <= 200))),
  constraint outage_subject_check CHECK ((subject = ANY (ARRAY['lfi'::text, 'hub'::text])))
);
CREATE INDEX outage_starts_at ON public.outage USING btree (starts_at);

create table outbox (
  id bigint generated always as identity not null,
  at timestamp with time zone not null,
  kind text not null,
  event text not null,
  consent_id text,
  revision integer not null,
  url text,
  body json,
  interaction_id text,
  resource text default 'consent'::text not null,
  resource_id text,
  client_id text,
  event_id uuid default gen_random_uuid() not null,
  state text default 'waiting'::text not null,
  attempts integer default 0 not null,
  due_at timestamp with time zone,
  claimed_until timestamp with time zone,
  revived_at timestamp with time zone,
  settled_at timestamp with time zone,
  outcome text,
  constraint outbox_pkey PRIMARY KEY (id),
  constraint outbox_consent_id_fkey FOREIGN KEY (consent_id) REFERENCES consent(id),
  constraint outbox_about CHECK ((((resource = ANY (ARRAY['consent'::text, 'payment'::text])) = (consent_id IS NOT NULL)) AND ((resource = 'consent'::text) = (resource_id IS NULL)) AND ((resource = 'consent'::text) OR (client_id IS NOT NULL)))),
  constraint outbox_claimed CHECK (((state = 'sending'::text) = (claimed_until IS NOT NULL))),
  constraint outbox_kind_check CHECK ((kind = ANY (ARRAY['lfi-event'::text, 'tpp-webhook'::text]))),
  constraint outbox_resource_check CHECK ((resource = ANY (ARRAY['consent'::text, 'payment'::text, 'account-opening'::text, 'fx-quote'::text, 'insurance-quote'::text]))),
  constraint outbox_settled CHECK (((state = ANY (ARRAY['waiting'::text, 'sending'::text])) = (settled_at IS NULL))),
  constraint outbox_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'sending'::text, 'delivered'::text, 'failed'::text, 'dropped'::text, 'dead'::text]))),
  constraint outbox_webhook CHECK (((kind = 'tpp-webhook'::text) = ((url IS NOT NULL) AND (body IS NOT NULL))))
);
CREATE INDEX outbox_consent ON public.outbox USING btree (consent_id) WHERE (consent_id IS NOT NULL);
CREATE INDEX outbox_dead ON public.outbox USING btree (id) WHERE (state = 'dead'::text);
CREATE INDEX outbox_open ON public.outbox USING btree (kind, resource, COALESCE(resource_id, consent_id), id) WHERE (state = ANY (ARRAY['waiting'::text, 'sending'::text]));
CREATE INDEX outbox_settled_at ON public.outbox USING btree (settled_at) WHERE (settled_at IS NOT NULL);
CREATE UNIQUE INDEX outbox_once ON public.outbox USING btree (resource, COALESCE(resource_id, consent_id), revision, kind);

create table payment_log (
  id bigint generated always as identity not null,
  consent_id text not null,
  client_id text not null,
  organisation_id text not null,
  payment_type text not null,
  idempotency_key text not null,
  account_id text not null,
  psu jsonb not null,
  tpp json not null,
  request_body json not null,
  signed_request_body text,
  request_headers json not null,
  access_token_hash text not null,
  interaction_id text not null,
  client_interaction_id text,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  revision integer not null,
  state text not null,
  attempt_until timestamp with time zone,
  payment_id text,
  status text,
  made_at timestamp with time zone,
  status_changed_at timestamp with time zone,
  payment_transaction_id text,
  billing jsonb,
  reject_reasons jsonb,
  answer_status integer,
  answer_body json,
  answer_signed text,
  asked_at timestamp with time zone,
  constraint payment_log_payment_id_key UNIQUE (payment_id),
  constraint payment_log_pkey PRIMARY KEY (id),
  constraint payment_log_consent_id_fkey FOREIGN KEY (consent_id) REFERENCES consent(id),
  constraint payment_answered CHECK (((state = 'open'::text) = (answer_status IS NULL))),
  constraint payment_log_idempotency_key_check CHECK ((idempotency_key ~ '^\S{1,40}$'::text)),
  constraint payment_log_payment_id_check CHECK (((length(payment_id) >= 1) AND (length(payment_id) <= 40))),
  constraint payment_log_payment_transaction_id_check CHECK (((length(payment_transaction_id) >= 1) AND (length(payment_transaction_id) <= 40))),
  constraint payment_log_payment_type_check CHECK ((payment_type = ANY (ARRAY['cbuae-payment'::text, 'cbuae-file-payment'::text]))),
  constraint payment_log_psu_check CHECK ((NOT (jsonb_typeof((psu -> 'userId'::text)) IS DISTINCT FROM 'string'::text))),
  constraint payment_log_request_body_check CHECK (((json_typeof(((request_body -> 'Data'::text) -> 'PersonalIdentifiableInformation'::text)) IS NULL) OR (json_typeof(((request_body -> 'Data'::text) -> 'PersonalIdentifiableInformation'::text)) = 'string'::text))),
  constraint payment_log_revision_check CHECK ((revision >= 1)),
  constraint payment_log_state_check CHECK ((state = ANY (ARRAY['open'::text, 'refused'::text, 'made'::text]))),
  constraint payment_log_status_check CHECK ((status = ANY (ARRAY['Pending'::text, 'AcceptedSettlementCompleted'::text, 'AcceptedWithoutPosting'::text, 'AcceptedCreditSettlementCompleted'::text, 'Rejected'::text]))),
  constraint payment_made CHECK (
CASE
    WHEN (state = 'made'::text) THEN (num_nulls(payment_id, status, made_at, status_changed_at) = 0)
    ELSE (num_nonnulls(payment_id, status, made_at, status_changed_at, payment_transaction_id, billing, reject_reasons) = 0)
END),
  constraint payment_open CHECK (((state = 'open'::text) = (attempt_until IS NOT NULL)))
);
CREATE INDEX payment_log_consent ON public.payment_log USING btree (consent_id, id);
CREATE INDEX payment_log_created ON public.payment_log USING brin (created_at) WITH (autosummarize='on');
CREATE INDEX payment_log_open ON public.payment_log USING btree (id) WHERE (state = 'open'::text);
CREATE INDEX payment_log_waiting ON public.payment_log USING btree (made_at) WHERE (status = 'Pending'::text);
CREATE UNIQUE INDEX payment_log_key ON public.payment_log USING btree (client_id, payment_type, idempotency_key);
CREATE TRIGGER payment_log_keep BEFORE UPDATE ON public.payment_log FOR EACH ROW EXECUTE FUNCTION payment_log_keep();
CREATE TRIGGER payment_tally_changed AFTER UPDATE ON public.payment_log FOR EACH ROW WHEN (((old.state IS DISTINCT FROM new.state) OR (old.status IS DISTINCT FROM new.status))) EXECUTE FUNCTION payment_tally_changed();
CREATE TRIGGER payment_tally_new AFTER INSERT ON public.payment_log FOR EACH ROW EXECUTE FUNCTION payment_tally_new();

create table payment_tally (
  consent_id text not null,
  day date not null,
  currency text not null,
  of_single_amount boolean not null,
  number integer not null,
  value numeric not null,
  certain_number integer not null,
  certain_value numeric not null,
  constraint payment_tally_pkey PRIMARY KEY (consent_id, day, currency, of_single_amount),
  constraint payment_tally_consent_id_fkey FOREIGN KEY (consent_id) REFERENCES consent(id),
  constraint payment_tally_check CHECK (((certain_value >= (0)::numeric) AND (certain_value <= value))),
  constraint payment_tally_check1 CHECK (((certain_number >= 0) AND (certain_number <= number))),
  constraint payment_tally_number_check CHECK ((number >= 0)),
  constraint payment_tally_value_check CHECK ((value >= (0)::numeric))
);

create table portal_login (
  state_digest bytea not null,
  browser_digest bytea,
  nonce text,
  verifier text,
  back text,
  expires_at timestamp with time zone not null,
  constraint portal_login_pkey PRIMARY KEY (state_digest)
);

create table portal_probe (
  path text not null,
  probed_at timestamp with time zone not null,
  ok boolean not null,
  ms double precision not null,
  detail text,
  constraint portal_probe_pkey PRIMARY KEY (path)
);

create table portal_proposal (
  id bigint generated always as identity not null,
  verb text not null,
  input jsonb not null,
  target text,
  proposed_by text not null,
  proposed_name text not null,
  proposed_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  state text default 'waiting'::text not null,
  decided_by text,
  decided_name text,
  decided_at timestamp with time zone,
  outcome text,
  seen text,
  constraint portal_proposal_pkey PRIMARY KEY (id),
  constraint portal_proposal_decided CHECK (((state = 'waiting'::text) = (decided_by IS NULL))),
  constraint portal_proposal_four_eyes CHECK (((state = 'rejected'::text) OR (decided_by IS DISTINCT FROM proposed_by))),
  constraint portal_proposal_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'running'::text, 'done'::text, 'failed'::text, 'rejected'::text])))
);
CREATE INDEX portal_proposal_waiting ON public.portal_proposal USING btree (expires_at) WHERE (state = 'waiting'::text);

create table portal_session (
  id_digest bytea not null,
  subject text not null,
  name text not null,
  roles text[] not null,
  began_at timestamp with time zone not null,
  seen_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  constraint portal_session_pkey PRIMARY KEY (id_digest),
  constraint portal_session_roles_check CHECK ((cardinality(roles) > 0))
);
CREATE INDEX portal_session_subject ON public.portal_session USING btree (subject);

create table portal_verification (
  id bigint generated always as identity not null,
  began_at timestamp with time zone not null,
  began_by text not null,
  ended_at timestamp with time zone,
  ok boolean,
  size bigint,
  first bigint,
  checked bigint,
  fault text,
  constraint portal_verification_pkey PRIMARY KEY (id),
  constraint portal_verification_ended CHECK (((ended_at IS NULL) = (ok IS NULL)))
);

create table report_cursor (
  one boolean default true not null,
  seq bigint default 0 not null,
  destroyed_before timestamp with time zone,
  tally_seq bigint default 0 not null,
  constraint report_cursor_pkey PRIMARY KEY (one),
  constraint report_cursor_one_check CHECK (one)
);

create table report_downtime (
  subject text not null,
  source text not null,
  method text not null,
  route text not null,
  began_seq bigint not null,
  began_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  constraint report_downtime_pkey PRIMARY KEY (subject, source, method, route, began_seq),
  constraint report_downtime_source_check CHECK ((source = ANY (ARRAY['calls'::text, 'heartbeat'::text]))),
  constraint report_downtime_subject_check CHECK ((subject = ANY (ARRAY['lfi'::text, 'hub'::text])))
);
CREATE UNIQUE INDEX report_downtime_open ON public.report_downtime USING btree (subject, source, method, route) WHERE (ended_at IS NULL);

create table report_rollup (
  grain text not null,
  starts_at timestamp with time zone not null,
  door text not null,
  api_set text not null,
  method text not null,
  route text not null,
  organisation_id text not null,
  client_id text not null,
  tpp_group text not null,
  lfi_group text not null,
  calls bigint not null,
  attended bigint not null,
  records bigint not null,
  over_limit bigint not null,
  total_us_min bigint not null,
  total_us_max bigint not null,
  total_us_sum bigint not null,
  lfi_us_min bigint,
  lfi_us_max bigint,
  lfi_us_sum bigint not null,
  constraint report_rollup_pkey PRIMARY KEY (grain, starts_at, door, api_set, method, route, organisation_id, client_id, tpp_group, lfi_group),
  constraint report_rollup_grain_check CHECK ((grain = ANY (ARRAY['hour'::text, 'day'::text])))
);

create table report_tally (
  dataset text not null,
  starts_at timestamp with time zone not null,
  facts text[] not null,
  figures bigint[] not null,
  constraint report_tally_pkey PRIMARY KEY (dataset, starts_at, facts)
);

create table report_times (
  grain text not null,
  starts_at timestamp with time zone not null,
  method text not null,
  route text not null,
  total text not null,
  hub_in text not null,
  lfi text not null,
  hub_out text not null,
  constraint report_times_pkey PRIMARY KEY (grain, starts_at, method, route),
  constraint report_times_grain_check CHECK ((grain = ANY (ARRAY['hour'::text, 'day'::text])))
);

create table resource_trail (
  id bigint generated always as identity not null,
  resource text not null,
  log_id bigint not null,
  revision integer not null,
  at timestamp with time zone not null,
  change text not null,
  status_from text,
  status_to text not null,
  changed text[] not null,
  caller_kind text not null,
  caller_organisation_id text,
  caller_client_id text,
  interaction_id text,
  constraint resource_trail_resource_log_id_revision_key UNIQUE (resource, log_id, revision),
  constraint resource_trail_pkey PRIMARY KEY (id),
  constraint resource_trail_caller_kind_check CHECK ((caller_kind = ANY (ARRAY['tpp'::text, 'lfi'::text, 'hub'::text, 'operator'::text]))),
  constraint resource_trail_resource_check CHECK ((resource = ANY (ARRAY['payment'::text, 'account-opening'::text, 'fx-quote'::text, 'insurance-quote'::text])))
);
CREATE TRIGGER resource_trail_keep BEFORE DELETE OR UPDATE ON public.resource_trail FOR EACH ROW EXECUTE FUNCTION resource_trail_keep();

create table schema_migration (
  name text not null,
  applied_at timestamp with time zone default now() not null,
  constraint schema_migration_pkey PRIMARY KEY (name)
);

create table service_request (
  id bigint generated always as identity not null,
  kind text not null,
  resource_id text not null,
  client_id text not null,
  organisation_id text not null,
  subscription jsonb,
  echoed jsonb not null,
  status text not null,
  created_at timestamp with time zone not null,
  status_changed_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  revision integer not null,
  status_words text,
  constraint service_request_kind_resource_id_key UNIQUE (kind, resource_id),
  constraint service_request_pkey PRIMARY KEY (id),
  constraint service_request_kind_check CHECK ((kind = ANY (ARRAY['account-opening'::text, 'fx-quote'::text, 'insurance-quote'::text]))),
  constraint service_request_resource_id_check CHECK (((length(resource_id) >= 1) AND (length(resource_id) <= 128))),
  constraint service_request_revision_check CHECK ((revision >= 1)),
  constraint service_request_status_check CHECK (((length(status) >= 1) AND (length(status) <= 40))),
  constraint service_request_status_words_check CHECK (((length(status_words) >= 1) AND (length(status_words) <= 1000)))
);
CREATE INDEX service_request_created ON public.service_request USING brin (created_at) WITH (autosummarize='on');

create table software_statement (
  software_statement_id text not null,
  organisation_id text not null,
  status text not null,
  directory_status text not null,
  record jsonb not null,
  roles jsonb not null,
  certificates jsonb not null,
  jwks jsonb not null,
  fetched_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  refresh_claimed_until timestamp with time zone,
  constraint software_statement_pkey PRIMARY KEY (software_statement_id),
  constraint software_statement_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES tpp(organisation_id),
  constraint software_statement_status_check CHECK ((status = ANY (ARRAY['inactive'::text, 'active'::text, 'blocked'::text])))
);

create table tenant_key (
  kid text not null,
  use text not null,
  source text not null,
  wrapped bytea,
  wrapped_with text,
  public_jwk jsonb not null,
  created_at timestamp with time zone not null,
  activates_at timestamp with time zone not null,
  retired_at timestamp with time zone,
  verify_until timestamp with time zone,
  destroyed_at timestamp with time zone,
  constraint tenant_key_pkey PRIMARY KEY (kid),
  constraint tenant_key_check CHECK ((activates_at >= created_at)),
  constraint tenant_key_check1 CHECK ((retired_at >= activates_at)),
  constraint tenant_key_check2 CHECK ((verify_until >= retired_at)),
  constraint tenant_key_check3 CHECK ((destroyed_at >= verify_until)),
  constraint tenant_key_end_is_whole CHECK (((retired_at IS NULL) = (verify_until IS NULL))),
  constraint tenant_key_kid_check CHECK (((length(kid) >= 1) AND (length(kid) <= 128))),
  constraint tenant_key_private_half CHECK (((wrapped IS NOT NULL) = ((source = 'stored'::text) AND (destroyed_at IS NULL)))),
  constraint tenant_key_public_jwk_check CHECK ((((public_jwk -> 'n'::text) IS NOT NULL) AND ((public_jwk -> 'd'::text) IS NULL))),
  constraint tenant_key_source_check CHECK ((source = ANY (ARRAY['stored'::text, 'file'::text]))),
  constraint tenant_key_use_check CHECK ((use = ANY (ARRAY['sig'::text, 'enc'::text]))),
  constraint tenant_key_wrapped_with CHECK (((wrapped IS NULL) = (wrapped_with IS NULL)))
);
CREATE UNIQUE INDEX tenant_key_last ON public.tenant_key USING btree (use) WHERE (retired_at IS NULL);

create table tenant_secret (
  name text not null,
  value bytea not null,
  constraint tenant_secret_pkey PRIMARY KEY (name)
);

create table tpp (
  organisation_id text not null,
  name text not null,
  status text not null,
  directory_status text not null,
  record jsonb not null,
  registered_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint tpp_pkey PRIMARY KEY (organisation_id),
  constraint tpp_status_check CHECK ((status = ANY (ARRAY['inactive'::text, 'active'::text, 'blocked'::text])))
);

CREATE OR REPLACE FUNCTION public.archive_may_go(c consent, before timestamp with time zone)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select c.due_at is null and c.status_changed_at < before and c.updated_at < before
    and not exists (select from payment_log p where p.consent_id = c.id
      and (p.state = 'open' or p.status = 'Pending' or p.updated_at >= before))
    and not exists (select from outbox o where o.consent_id = c.id and o.state in ('waiting', 'sending'))
    and not exists (select from consent k where k.base_consent_id = coalesce(c.base_consent_id, c.id)
      and k.due_at is not null)
    and not exists (select from consent k where k.id = c.base_consent_id and k.due_at is not null)
$function$
;

CREATE OR REPLACE FUNCTION public.archive_may_go(r service_request, before timestamp with time zone, ended text[])
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select r.created_at < before and r.updated_at < before and r.kind || ' ' || r.status = any(ended)
    and not exists (select from outbox o where o.resource = r.kind and coalesce(o.resource_id, o.consent_id) = r.resource_id
      and o.state in ('waiting', 'sending'))
$function$
;

CREATE OR REPLACE FUNCTION public.archive_take(place bigint, file_name text, manifest text, before timestamp with time zone, ids text[], request_ids bigint[], ended text[], written jsonb, at timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  payments bigint[];
  gone jsonb;
  outbox_gone integer;
  outbox_of_requests integer;
  tally_gone integer;
  trail_gone integer;
  trail_of_requests integer;
  versions_gone integer;
  changes_gone integer;
  consents_gone integer;
  requests_gone integer;
begin
  if before > now() - interval '365 days' then
    raise exception 'what is younger than a year is kept';
  end if;
  if place <> (select coalesce(max(number), 0) + 1 from archive_batch) then
    raise exception 'batch % is not the next one', place;
  end if;
  if (select count(*) from consent c where c.id = any(ids) and archive_may_go(c, before)) <> cardinality(ids)
     or (select count(*) from service_request r where r.id = any(request_ids) and archive_may_go(r, before, ended))
        <> cardinality(request_ids) then
    raise exception 'not all of this may go';
  end if;
  insert into archive_going select unnest(ids);
  delete from outbox where consent_id = any(ids);
  get diagnostics outbox_gone = row_count;
  delete from payment_tally where consent_id = any(ids);
  get diagnostics tally_gone = row_count;
  with deleted as (delete from payment_log where consent_id = any(ids) returning id)
  select coalesce(array_agg(id), '{}') into payments from deleted;
  delete from resource_trail where resource = 'payment' and log_id = any(payments);
  get diagnostics trail_gone = row_count;
  delete from consent_trail where consent_id = any(ids);
  get diagnostics changes_gone = row_count;
  delete from consent_version where consent_id = any(ids);
  get diagnostics versions_gone = row_count;
  delete from consent where id = any(ids);
  get diagnostics consents_gone = row_count;
  delete from archive_going;
  delete from outbox o using service_request r
    where r.id = any(request_ids) and o.resource = r.kind and coalesce(o.resource_id, o.consent_id) = r.resource_id;
  get diagnostics outbox_of_requests = row_count;
  delete from service_request where id = any(request_ids);
  get diagnostics requests_gone = row_count;
  delete from resource_trail where resource <> 'payment' and log_id = any(request_ids);
  get diagnostics trail_of_requests = row_count;
  gone := jsonb_build_object(
    'consent', consents_gone, 'consent_version', versions_gone, 'consent_trail', changes_gone,
    'payment_log', cardinality(payments), 'payment_tally', tally_gone, 'service_request', requests_gone,
    'resource_trail', trail_gone + trail_of_requests, 'outbox', outbox_gone + outbox_of_requests);
  if gone <> written then
    raise exception 'written is %, and % would go', written, gone;
  end if;
  insert into archive_batch (number, file, manifest_sha256, older_than, lines, archived_at)
    values (place, file_name, manifest, before, written, at);
end $function$
;

CREATE OR REPLACE FUNCTION public.audit_is_append_only()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      begin
        raise exception '% on %: the audit log is append-only', tg_op, tg_table_name
          using errcode = 'insufficient_privilege';
      end
      $function$
;

CREATE OR REPLACE FUNCTION public.consent_ahead_changed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      begin
        if exists (select 1 from consent_ahead) then
          
    insert into consent_ahead_line (ahead, list, span, slot, type, status, delta)
      select ahead.id, places.list, places.span, places.slot, moves.type, ends.status, sum(moves.way * ends.delta)
      from (select 1 as way, type, status, created_at, updated_at, authorize_by, expires_at, due_at from after_it union all select -1 as way, type, status, created_at, updated_at, authorize_by, expires_at, due_at from before_it) as moves
      join consent_ahead as ahead on moves.due_at <= ahead.until
      cross join lateral (values (moves.status, -1), (case
        when moves.status = 'AwaitingAuthorization' and moves.authorize_by < moves.expires_at then 'Rejected'
        else 'Expired' end, 1)) as ends (status, delta)
      cross join lateral consent_slots_of(moves.created_at, moves.updated_at) as places
      group by 1, 2, 3, 4, 5, 6 having sum(moves.way * ends.delta) <> 0;
        end if;
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION public.consent_ahead_emptied()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      begin
        delete from consent_ahead;
        delete from consent_ahead_line;
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION public.consent_ahead_gone()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      begin
        if exists (select 1 from consent_ahead) then 
    insert into consent_ahead_line (ahead, list, span, slot, type, status, delta)
      select ahead.id, places.list, places.span, places.slot, moves.type, ends.status, sum(moves.way * ends.delta)
      from (select -1 as way, type, status, created_at, updated_at, authorize_by, expires_at, due_at from gone) as moves
      join consent_ahead as ahead on moves.due_at <= ahead.until
      cross join lateral (values (moves.status, -1), (case
        when moves.status = 'AwaitingAuthorization' and moves.authorize_by < moves.expires_at then 'Rejected'
        else 'Expired' end, 1)) as ends (status, delta)
      cross join lateral consent_slots_of(moves.created_at, moves.updated_at) as places
      group by 1, 2, 3, 4, 5, 6 having sum(moves.way * ends.delta) <> 0; end if;
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION public.consent_ahead_new()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      begin
        if exists (select 1 from consent_ahead) then 
    insert into consent_ahead_line (ahead, list, span, slot, type, status, delta)
      select ahead.id, places.list, places.span, places.slot, moves.type, ends.status, sum(moves.way * ends.delta)
      from (select 1 as way, type, status, created_at, updated_at, authorize_by, expires_at, due_at from added) as moves
      join consent_ahead as ahead on moves.due_at <= ahead.until
      cross join lateral (values (moves.status, -1), (case
        when moves.status = 'AwaitingAuthorization' and moves.authorize_by < moves.expires_at then 'Rejected'
        else 'Expired' end, 1)) as ends (status, delta)
      cross join lateral consent_slots_of(moves.created_at, moves.updated_at) as places
      group by 1, 2, 3, 4, 5, 6 having sum(moves.way * ends.delta) <> 0; end if;
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION public.consent_keep()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if (new.id, new.type, new.rar_type, new.client_id, new.organisation_id, new.base_consent_id, new.request::text,
      new.scope, new.created_at, new.expires_at)
     is distinct from
     (old.id, old.type, old.rar_type, old.client_id, old.organisation_id, old.base_consent_id, old.request::text,
      old.scope, old.created_at, old.expires_at) then
    raise exception 'consent %: what was asked for does not change', old.id;
  end if;
  if new.authorize_by <> old.authorize_by and (old.authorizers is not null or new.authorizers is null) then
    raise exception 'consent %: the authorization window moves with the first authorizer only', old.id;
  end if;
  if old.authorized_at is not null and new.authorized_at is distinct from old.authorized_at then
    raise exception 'consent %: it was authorized, and stays so', old.id;
  end if;
  if new.status <> old.status then
    if old.due_at is null then
      raise exception 'consent %: % is terminal', old.id, old.status;
    end if;
    if (old.status, new.status) not in (
      ('AwaitingAuthorization', 'Authorized'), ('AwaitingAuthorization', 'Rejected'),
      ('AwaitingAuthorization', 'Revoked'), ('AwaitingAuthorization', 'Expired'),
      ('Authorized', 'Suspended'), ('Authorized', 'Revoked'), ('Authorized', 'Expired'), ('Authorized', 'Consumed'),
      ('Suspended', 'Authorized'), ('Suspended', 'Revoked'), ('Suspended', 'Expired')) then
      raise exception 'consent %: no way leads from % to %', old.id, old.status, new.status;
    end if;
    if new.revision <> old.revision + 1 then
      raise exception 'consent %: a change of status counts one revision', old.id;
    end if;
  end if;
  return new;
end $function$
;

CREATE OR REPLACE FUNCTION public.consent_remember()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      begin
        insert into consent_version (consent_id, revision, at, state)
        values (new.id, new.revision, new.updated_at, consent_state(new));
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION public.consent_slot_at(at timestamp with time zone, span integer)
 RETURNS integer
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
          select (floor(extract(epoch from at))::bigint >> span)::integer
        $function$
;

CREATE OR REPLACE FUNCTION public.consent_slots_of(created_at timestamp with time zone, updated_at timestamp with time zone)
 RETURNS TABLE(list text, span smallint, slot integer)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
          select lists.list, spans.span, consent_slot_at(lists.at, spans.span)
          from (values ('created', created_at), ('updated', updated_at)) as lists (list, at),
               (values (12::smallint), (17::smallint), (22::smallint)) as spans (span)
        $function$
;

CREATE OR REPLACE FUNCTION public.consent_state(of consent)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
        select to_jsonb(of) - array['id', 'type', 'rar_type', 'client_id', 'organisation_id', 'base_consent_id',
          'request', 'request_headers', 'request_url', 'tpp', 'scope', 'created_at', 'expires_at', 'payment_ids',
          'par_id', 'completed_at', 'grant_id', 'revoked_tokens', 'connect_token', 'last_data_shared_at', 'psu_user_id', 'due_at']
      $function$
;

CREATE OR REPLACE FUNCTION public.consent_tally_changed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      begin
        insert into consent_tally
          select type, status, sum(delta) from (
            select type, status, 1 as delta from after_it union all select type, status, -1 from before_it) as moves
          group by type, status having sum(delta) <> 0;
        insert into consent_slot (list, span, slot, type, status, delta)
          select list, span, slot, type, status, sum(delta) from (
            select type, status, created_at, updated_at, 1 as delta from after_it
            union all select type, status, created_at, updated_at, -1 from before_it) as moves,
            consent_slots_of(created_at, updated_at)
          group by 1, 2, 3, 4, 5 having sum(delta) <> 0;
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION public.consent_tally_emptied()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      begin
        delete from consent_tally;
        delete from consent_slot;
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION public.consent_tally_gone()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      begin
        insert into consent_tally select type, status, -count(*) from gone group by type, status;
        insert into consent_slot (list, span, slot, type, status, delta)
          select list, span, slot, type, status, -count(*)
          from gone, consent_slots_of(created_at, updated_at) group by 1, 2, 3, 4, 5;
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION public.consent_tally_new()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      begin
        insert into consent_tally select type, status, count(*) from added group by type, status;
        insert into consent_slot (list, span, slot, type, status, delta)
          select list, span, slot, type, status, count(*)
          from added, consent_slots_of(created_at, updated_at) group by 1, 2, 3, 4, 5;
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION public.consent_trail_keep()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if tg_op = 'DELETE' then
    if exists (select from archive_going where consent_id = old.consent_id) then
      return old;
    end if;
  end if;
  raise exception 'the trail of a consent is only ever added to';
end $function$
;

CREATE OR REPLACE FUNCTION public.consent_version_keep()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      begin
        raise exception 'what a consent was does not change';
      end $function$
;

CREATE OR REPLACE FUNCTION public.payment_log_keep()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if (new.consent_id, new.client_id, new.payment_type, new.idempotency_key, new.account_id, new.psu,
      new.request_body::text, new.signed_request_body, new.created_at)
     is distinct from
     (old.consent_id, old.client_id, old.payment_type, old.idempotency_key, old.account_id, old.psu,
      old.request_body::text, old.signed_request_body, old.created_at) then
    raise exception 'payment %: what was asked for does not change', old.id;
  end if;
  if old.state <> 'open' and new.state <> old.state then
    raise exception 'payment %: % is an answer', old.id, old.state;
  end if;
  if old.status in ('Rejected', 'AcceptedCreditSettlementCompleted') and new.status <> old.status then
    raise exception 'payment %: % is terminal', old.id, old.status;
  end if;
  if old.payment_transaction_id is distinct from new.payment_transaction_id
     and old.payment_transaction_id is not null then
    raise exception 'payment %: the id of its transaction does not change', old.id;
  end if;
  return new;
end $function$
;

CREATE OR REPLACE FUNCTION public.payment_tally_changed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      begin
        update payment_tally as known set
          number = known.number + n.counts - o.counts,
          value = known.value + (n.counts - o.counts) * n.amount,
          certain_number = known.certain_number + n.is_certain - o.is_certain,
          certain_value = known.certain_value + (n.is_certain - o.is_certain) * n.amount
        from payment_weight(old) as o, payment_weight(new) as n
        where known.consent_id = new.consent_id and known.day = n.day and known.currency = n.currency
          and known.of_single_amount = n.of_single_amount
          and (n.counts, n.is_certain) is distinct from (o.counts, o.is_certain);
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION public.payment_tally_new()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      begin
        insert into payment_tally as known
          select new.consent_id, w.day, w.currency, w.of_single_amount,
            w.counts, w.counts * w.amount, w.is_certain, w.is_certain * w.amount
          from payment_weight(new) as w
          on conflict (consent_id, day, currency, of_single_amount) do update set
            number = known.number + excluded.number, value = known.value + excluded.value,
            certain_number = known.certain_number + excluded.certain_number,
            certain_value = known.certain_value + excluded.certain_value;
        return null;
      end $function$
;

CREATE OR REPLACE FUNCTION public.payment_weight(of payment_log, OUT day date, OUT currency text, OUT of_single_amount boolean, OUT amount numeric, OUT counts integer, OUT is_certain integer)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
AS $function$
      declare
        said json := of.request_body #> '{Data,Instruction}';
        agreed json := (select request #> '{consent,ControlParameters,ConsentSchedule}' from consent where id = of.consent_id);
        single json := agreed #> '{SinglePayment,Amount}';
      begin
        day := (of.created_at at time zone 'Asia/Dubai')::date;
        currency := coalesce(said #>> '{Amount,Currency}', 'AED');
        amount := coalesce(said #>> '{Amount,Amount}', said ->> 'ControlSum', agreed #>> '{FilePayment,ControlSum}', '0.00');
        of_single_amount := coalesce(
          agreed -> 'MultiPayment' is not null and currency = single ->> 'Currency'
            and amount = (single ->> 'Amount')::numeric, false);
        counts := (of.state <> 'refused' and of.status is distinct from 'Rejected')::integer;
        is_certain := (counts = 1 and coalesce(of.status <> 'Pending', false))::integer;
      end $function$
;

CREATE OR REPLACE FUNCTION public.resource_destroy(before timestamp with time zone, ended text[], most integer, OUT payments integer, OUT requests integer)
 RETURNS record
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
      declare
        gone bigint[];
        consents text[];
      begin
        if before > now() - interval '365 days' then
          raise exception 'what is younger than a year is kept';
        end if;
        with destroyed as (
          delete from payment_log where id in (
            select p.id from payment_log as p join consent on consent.id = p.consent_id
            where p.created_at < before and p.updated_at < before
              and p.state <> 'open' and p.status is distinct from 'Pending'
              and consent.due_at is null and consent.updated_at < before
            limit most for update of p skip locked)
          returning id, consent_id)
        select coalesce(array_agg(id), '{}'), array_agg(distinct consent_id) into gone, consents from destroyed;
        payments := cardinality(gone);
        delete from resource_trail where resource = 'payment' and log_id = any(gone);
        delete from payment_tally where consent_id = any(consents)
          and not exists (select from payment_log where consent_id = payment_tally.consent_id);
        with destroyed as (
          delete from service_request where id in (
            select id from service_request
            where created_at < before and updated_at < before and kind || ' ' || status = any(ended)
            limit most for update skip locked)
          returning id)
        select coalesce(array_agg(id), '{}') into gone from destroyed;
        requests := cardinality(gone);
        delete from resource_trail where resource <> 'payment' and log_id = any(gone);
      end $function$
;

CREATE OR REPLACE FUNCTION public.resource_trail_keep()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      begin
        if tg_op = 'DELETE'
           and not (old.resource = 'payment' and exists (select from payment_log where id = old.log_id))
           and not (old.resource <> 'payment' and exists (select from service_request where id = old.log_id)) then
          return old;
        end if;
        raise exception 'the trail of a resource is only ever added to';
      end $function$
;

sequence audit_entry_id;
