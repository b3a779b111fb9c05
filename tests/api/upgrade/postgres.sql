SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.audit_events (
    id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    kind text NOT NULL,
    actor_id uuid,
    subject_id uuid,
    ip_address text,
    user_agent text,
    request_id text,
    detail jsonb NOT NULL,
    count integer DEFAULT 1 NOT NULL,
    refusal_key text,
    CONSTRAINT audit_events_count_check CHECK ((count >= 1))
);
CREATE TABLE public.devices (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    user_agent text,
    ip_address text,
    CONSTRAINT devices_expires_at_check CHECK ((expires_at >= created_at)),
    CONSTRAINT devices_token_hash_check CHECK ((octet_length(token_hash) = 32))
);
CREATE TABLE public.email_changes (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    old_email text NOT NULL,
    new_email text NOT NULL,
    token_hash bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    undone_at timestamp with time zone,
    CONSTRAINT email_changes_expires_at_check CHECK ((expires_at >= created_at)),
    CONSTRAINT email_changes_new_email_check CHECK (((new_email = lower(new_email)) AND (length(new_email) <= 254))),
    CONSTRAINT email_changes_old_email_check CHECK (((old_email = lower(old_email)) AND (length(old_email) <= 254))),
    CONSTRAINT email_changes_token_hash_check CHECK ((octet_length(token_hash) = 32))
);
CREATE TABLE public.email_codes (
    id uuid NOT NULL,
    handle_hash bytea NOT NULL,
    purpose text NOT NULL,
    address_key bytea NOT NULL,
    budget_key bytea NOT NULL,
    email text NOT NULL,
    device_id uuid,
    fixed boolean NOT NULL,
    code_hash bytea NOT NULL,
    earlier_hash bytea,
    earlier_expires_at timestamp with time zone,
    expires_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    units integer DEFAULT 0 NOT NULL,
    attempted_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    consumed_at timestamp with time zone,
    user_id uuid,
    locale text,
    CONSTRAINT email_codes_address_key_check CHECK ((octet_length(address_key) = 32)),
    CONSTRAINT email_codes_attempts_check CHECK ((attempts >= 0)),
    CONSTRAINT email_codes_budget_key_check CHECK ((octet_length(budget_key) = 32)),
    CONSTRAINT email_codes_code_hash_check CHECK ((octet_length(code_hash) = 32)),
    CONSTRAINT email_codes_earlier_hash_check CHECK ((octet_length(earlier_hash) = 32)),
    CONSTRAINT email_codes_email_check CHECK (((email = lower(email)) AND (length(email) <= 254))),
    CONSTRAINT email_codes_handle_hash_check CHECK ((octet_length(handle_hash) = 32)),
    CONSTRAINT email_codes_units_check CHECK ((units >= 0))
);
CREATE TABLE public.outbox (
    id uuid NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    sealed bytea,
    attempts integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    next_attempt_at timestamp with time zone NOT NULL,
    claimed_until timestamp with time zone,
    expires_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    last_error text,
    CONSTRAINT outbox_attempts_check CHECK ((attempts >= 0)),
    CONSTRAINT outbox_expires_at_check CHECK ((expires_at >= created_at)),
    CONSTRAINT outbox_state_check CHECK ((state = ANY (ARRAY['PENDING'::text, 'SENT'::text, 'EXPIRED'::text, 'FAILED'::text, 'DECOY'::text])))
);
CREATE TABLE public.seaql_migrations (
    version character varying NOT NULL,
    applied_at bigint NOT NULL
);
CREATE TABLE public.sessions (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    device_id uuid,
    credential_id uuid NOT NULL,
    method text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    idle_expires_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    end_reason text,
    user_agent text,
    ip_address text,
    refresh_hash bytea NOT NULL,
    previous_hash bytea,
    rotated_at timestamp with time zone,
    successor bytea,
    CONSTRAINT sessions_expires_at_check CHECK ((expires_at >= created_at)),
    CONSTRAINT sessions_idle_expires_at_check CHECK ((idle_expires_at >= created_at)),
    CONSTRAINT sessions_previous_hash_check CHECK ((octet_length(previous_hash) = 32)),
    CONSTRAINT sessions_refresh_hash_check CHECK ((octet_length(refresh_hash) = 32))
);
CREATE TABLE public.sign_in_links (
    id uuid NOT NULL,
    address_key bytea NOT NULL,
    email text NOT NULL,
    token_hash bytea NOT NULL,
    sealed bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    consumed_at timestamp with time zone,
    mailed boolean DEFAULT true NOT NULL,
    CONSTRAINT sign_in_links_address_key_check CHECK ((octet_length(address_key) = 32)),
    CONSTRAINT sign_in_links_email_check CHECK (((email = lower(email)) AND (length(email) <= 254))),
    CONSTRAINT sign_in_links_expires_at_check CHECK ((expires_at >= created_at)),
    CONSTRAINT sign_in_links_token_hash_check CHECK ((octet_length(token_hash) = 32))
);
CREATE TABLE public.signing_keys (
    id uuid NOT NULL,
    algorithm text NOT NULL,
    sealed bytea NOT NULL,
    public_jwk jsonb,
    created_at timestamp with time zone NOT NULL,
    signs_from timestamp with time zone NOT NULL,
    retires_at timestamp with time zone,
    CONSTRAINT signing_keys_algorithm_check CHECK ((algorithm = ANY (ARRAY['EdDSA'::text, 'ES256'::text, 'RS256'::text, 'HS256'::text])))
);
CREATE TABLE public.users (
    id uuid NOT NULL,
    email text NOT NULL COLLATE pg_catalog."C",
    name text,
    role text NOT NULL,
    status text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    last_sign_in_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    name_key text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    locale text,
    deleted_at timestamp with time zone,
    CONSTRAINT users_deleted_at_check CHECK (((deleted_at IS NULL) OR (status = 'DELETED'::text))),
    CONSTRAINT users_email_check CHECK (((email = lower(email)) AND (length(email) <= 254))),
    CONSTRAINT users_role_check CHECK ((role = ANY (ARRAY['GUEST'::text, 'USER'::text, 'MANAGER'::text, 'ADMIN'::text]))),
    CONSTRAINT users_status_check CHECK ((status = ANY (ARRAY['ACTIVE'::text, 'SUSPENDED'::text, 'DELETED'::text])))
);
INSERT INTO public.audit_events VALUES ('01a224f3-322e-7001-80be-552e74a6ac08', '2026-11-29 01:37:27.598533+00', 'KEY_ROTATED', NULL, NULL, NULL, NULL, NULL, '{"kid": "01a224f3-322e-7000-aaa7-ceb81bf77e36", "algorithm": "EdDSA", "signsFrom": "2026-11-29T01:37:27.598533Z"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-3278-7002-8284-0c142c5aeb1a', '2026-11-29 01:37:27.672482+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f33277700080db171f3b8978d6', '{"address": "En4_9MdoWck1Oz-fpdtJew", "challenge": "01a224f3-3278-7000-b386-0a3410d4ee06"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-3490-7003-a57e-b8295975bcbc', '2026-11-29 01:37:28.208036+00', 'SIGNED_UP', '01a224f3-3490-7000-913c-a5bec9f9b629', '01a224f3-3490-7000-913c-a5bec9f9b629', '127.0.0.1', 'Python-urllib/3.11', '01a224f3348e70008c2b8411f7eedfaa', '{"device": "01a224f3-3490-7001-8a1d-dadc6d3a764c", "method": "otp", "session": "01a224f3-3490-7002-90b0-481d2b2c0273"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-34a6-7002-968b-e899011a82ef', '2026-11-29 01:37:28.230711+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f334a57000b0853d226339af5d', '{"address": "En4_9MdoWck1Oz-fpdtJew", "challenge": "01a224f3-34a6-7000-9ddb-b744fdb958fb"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-36b3-7003-a80c-ce182af3d46c', '2026-11-29 01:37:28.755007+00', 'SIGNED_IN', '01a224f3-3490-7000-913c-a5bec9f9b629', '01a224f3-3490-7000-913c-a5bec9f9b629', '127.0.0.1', 'Python-urllib/3.11', '01a224f336b17000b8647c4e5ba475f1', '{"device": "01a224f3-36b3-7001-8c77-38c3fb9396fd", "method": "otp", "session": "01a224f3-36b3-7002-a737-da2dfbd011ef"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-36d0-7002-abba-d3e0a8e948b0', '2026-11-29 01:37:28.784583+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f336cf70009b072eee1352e362', '{"address": "En4_9MdoWck1Oz-fpdtJew", "challenge": "01a224f3-36d0-7000-9529-f8150d23b64c"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-38d9-7003-a4e6-bc975938683f', '2026-11-29 01:37:29.305106+00', 'SIGNED_IN', '01a224f3-3490-7000-913c-a5bec9f9b629', '01a224f3-3490-7000-913c-a5bec9f9b629', '127.0.0.1', 'Python-urllib/3.11', '01a224f338d870009c036aeaba6846a2', '{"device": "01a224f3-38d9-7001-bf0c-4d692bb5fbe7", "method": "otp", "session": "01a224f3-38d9-7002-997b-b0284d3c37ca"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-38e3-7000-b38a-e62c56039b2e', '2026-11-29 01:37:29.315884+00', 'SIGNED_OUT', '01a224f3-3490-7000-913c-a5bec9f9b629', '01a224f3-3490-7000-913c-a5bec9f9b629', '127.0.0.1', 'Python-urllib/3.11', '01a224f338e1700093f1930098be4c3a', '{"reason": "SIGNED_OUT", "session": "01a224f3-38d9-7002-997b-b0284d3c37ca"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-38e8-7002-b19e-af748b4b1142', '2026-11-29 01:37:29.320543+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f338e7700092dd2017feef6361', '{"address": "SEra70QW-jRG2K3F3YTnBg", "challenge": "01a224f3-38e8-7000-8a64-f1dbe70901a4"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-3af1-7003-983d-33ce05580032', '2026-11-29 01:37:29.841675+00', 'SIGNED_UP', '01a224f3-3af1-7000-92a1-91f83f30c052', '01a224f3-3af1-7000-92a1-91f83f30c052', '127.0.0.1', 'Python-urllib/3.11', '01a224f33af07000986c86ae78a5c701', '{"device": "01a224f3-3af1-7001-8843-50991d9ddc83", "method": "otp", "session": "01a224f3-3af1-7002-a3e8-f3ba5b3462ba"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-3b02-7002-bc69-a8421430fd10', '2026-11-29 01:37:29.858129+00', 'EMAIL_CHANGE_REQUESTED', '01a224f3-3af1-7000-92a1-91f83f30c052', '01a224f3-3af1-7000-92a1-91f83f30c052', '127.0.0.1', 'Python-urllib/3.11', '01a224f33afb70008defb3b5598579dc', '{"address": "jHafPNhoB3iYUo1zuOWckA", "challenge": "01a224f3-3b02-7000-a89e-7a1a9464d381"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-3d01-7000-950d-a6d880723474', '2026-11-29 01:37:30.369472+00', 'EMAIL_CHANGED', '01a224f3-3af1-7000-92a1-91f83f30c052', '01a224f3-3af1-7000-92a1-91f83f30c052', '127.0.0.1', 'Python-urllib/3.11', '01a224f33cfe7000b2b150885a1a9590', '{"email": ["carl@example.com", "carl.new@example.com"], "sessions": []}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-3f03-7002-9fea-47521949c590', '2026-11-29 01:37:30.883055+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f33f027000a9af5da9a1200292', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "challenge": "01a224f3-3f03-7000-b34d-4d3d2a4bb000"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4100-7003-953f-c0f4134b6c94', '2026-11-29 01:37:31.392345+00', 'SIGNED_UP', '01a224f3-4100-7000-8484-77180bc20ca5', '01a224f3-4100-7000-8484-77180bc20ca5', '127.0.0.1', 'Python-urllib/3.11', '01a224f340ff7000978543cfa4dc60f2', '{"device": "01a224f3-4100-7001-9785-82bacb123854", "method": "otp", "session": "01a224f3-4100-7002-ba1f-154b66a962ac"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4107-7002-a7d3-9c3c71cb2c68', '2026-11-29 01:37:31.399461+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f341067000bbcb67096a2fc66c', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "challenge": "01a224f3-4107-7000-a922-0dabab4c233c"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4305-7000-87cb-0e4b5e384ea2', '2026-11-29 01:37:31.909176+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f3430470009ab5241377195518', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 1, "challenge": "01a224f3-4107-7000-a922-0dabab4c233c"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-430a-7000-90cd-500804f7cfea', '2026-11-29 01:37:31.914603+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f343097000bed6eb416a8037ad', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 2, "challenge": "01a224f3-4107-7000-a922-0dabab4c233c"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4313-7000-9aef-3c6b0acf1811', '2026-11-29 01:37:31.923884+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f343127000837defd085b703b8', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 3, "challenge": "01a224f3-4107-7000-a922-0dabab4c233c"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4318-7002-a35c-9cc57cc144aa', '2026-11-29 01:37:31.92824+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f343177000ae7c5d96b101b164', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "challenge": "01a224f3-4318-7000-ac03-5ce9720b1604"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-451a-7000-bc9d-e4f8acb209db', '2026-11-29 01:37:32.442446+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f34519700098709cf659005495', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 1, "challenge": "01a224f3-4318-7000-ac03-5ce9720b1604"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-451f-7000-a34b-018c387c94bc', '2026-11-29 01:37:32.44777+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f3451e7000acf90beae49b6db2', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 2, "challenge": "01a224f3-4318-7000-ac03-5ce9720b1604"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4524-7000-892c-abee684a72c9', '2026-11-29 01:37:32.452225+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f345237000a90272061386efdc', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 3, "challenge": "01a224f3-4318-7000-ac03-5ce9720b1604"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4528-7002-984e-4866661ce6cf', '2026-11-29 01:37:32.456227+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f345277000ba16eb701fee3b6b', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "challenge": "01a224f3-4528-7000-83ba-d2a82bc58ffa"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4725-7000-97d1-d4f5bffc1163', '2026-11-29 01:37:32.965761+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f3472470008314ac888fe3e287', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 1, "challenge": "01a224f3-4528-7000-83ba-d2a82bc58ffa"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-472a-7000-a089-482a2b83947d', '2026-11-29 01:37:32.970948+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f3472970008bc9ba30bda908af', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 2, "challenge": "01a224f3-4528-7000-83ba-d2a82bc58ffa"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-472f-7000-984e-ad205197ddcd', '2026-11-29 01:37:32.975937+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f3472e7000afee0d7b9d157814', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 3, "challenge": "01a224f3-4528-7000-83ba-d2a82bc58ffa"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4733-7003-a436-6892f300018d', '2026-11-29 01:37:32.979974+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f347337000983c1b1321eab1ea', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "challenge": "01a224f3-4733-7001-bfa6-606298d2aba5"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4931-7000-a128-2bb5a48955e8', '2026-11-29 01:37:33.489312+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f349307000939b05714e69c4c6', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 1, "challenge": "01a224f3-4733-7001-bfa6-606298d2aba5"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4936-7000-a0f6-f521ddffc46a', '2026-11-29 01:37:33.494534+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f349357000a16004914eab5de7', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 2, "challenge": "01a224f3-4733-7001-bfa6-606298d2aba5"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-493a-7000-8b9d-eca75155de74', '2026-11-29 01:37:33.498417+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f349397000a4a50cb143f07cbb', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 3, "challenge": "01a224f3-4733-7001-bfa6-606298d2aba5"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-493e-7002-9470-b8cac2b52e2f', '2026-11-29 01:37:33.502293+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f3493d7000b41ca4a7673d4162', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "challenge": "01a224f3-493e-7000-a236-b5e13c60e2dd"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4f5e-7002-abc3-71035b65f2e3', '2026-11-29 01:37:35.070871+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f34f5d70009e56956e608240ed', '{"address": "Zhc_M_SZ3mo4Kqh4uoEEog", "challenge": "01a224f3-4f5e-7000-888b-4f9cdb983897"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4b3b-7000-9502-deccffbbfbba', '2026-11-29 01:37:34.011599+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f34b3a70008343bc823cb6d0d5', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 1, "challenge": "01a224f3-493e-7000-a236-b5e13c60e2dd"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4b44-7000-ba7b-4566bd1d1daa', '2026-11-29 01:37:34.020783+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f34b4370008511c0832d4ecbbe', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 3, "challenge": "01a224f3-493e-7000-a236-b5e13c60e2dd"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4d4c-7000-b330-3129a01878fc', '2026-11-29 01:37:34.540588+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f34d497000975aa9c9a4c0171b', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 2, "challenge": "01a224f3-4b48-7000-a610-1f55102f4fef"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4d54-7003-9a4b-89dfb7f2aa5d', '2026-11-29 01:37:34.548857+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f34d54700095109e1f18fdd682', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "challenge": "01a224f3-4d54-7001-8918-7abd6da6d0e0"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4f52-7000-86a7-3a16a3d1b97a', '2026-11-29 01:37:35.058192+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f34f5070009dc7a68eed744db7', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 1, "challenge": "01a224f3-4d54-7001-8918-7abd6da6d0e0"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-53ab-7000-8073-7c4dc77d452a', '2026-11-29 01:37:36.171907+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f353aa7000bba8822405dca482', '{"address": "En4_9MdoWck1Oz-fpdtJew", "attempt": 2, "challenge": "01a224f3-51a2-7000-8e5e-7e6371ff81ff"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-53b1-7002-a3e0-baaf47b21cb1', '2026-11-29 01:37:36.177434+00', 'EMAIL_CHANGE_REQUESTED', '01a224f3-3490-7000-913c-a5bec9f9b629', '01a224f3-3490-7000-913c-a5bec9f9b629', '127.0.0.1', 'Python-urllib/3.11', '01a224f353af70009b6c7afb7162d8b2', '{"address": "qNpUPLq8GlxeQunCC0kiVA", "challenge": "01a224f3-53b1-7000-9fc7-15c727fcf87a"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4b40-7000-90d6-e9ab4a8c2bd2', '2026-11-29 01:37:34.01646+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f34b3f700083613709d800f3ae', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 2, "challenge": "01a224f3-493e-7000-a236-b5e13c60e2dd"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4b48-7002-a84a-e5550cb254b5', '2026-11-29 01:37:34.024413+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f34b477000a603e15ae73d8100', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "challenge": "01a224f3-4b48-7000-a610-1f55102f4fef"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4d45-7000-8a3d-781af2257d40', '2026-11-29 01:37:34.533363+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f34d44700094ce7c4c5f4d1e01', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 1, "challenge": "01a224f3-4b48-7000-a610-1f55102f4fef"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4d50-7001-9def-d71915a85bbc', '2026-11-29 01:37:34.544974+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f34d50700092b517a24238d9db', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 3, "challenge": "01a224f3-4b48-7000-a610-1f55102f4fef"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4f59-7002-a4d9-3007c129ba53', '2026-11-29 01:37:35.065237+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f34f587000bbb5a0ba8ca22950', '{"address": "Zhc_M_SZ3mo4Kqh4uoEEog", "challenge": "01a224f3-4f59-7000-8918-39b6584ef26e"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4f65-7002-bb17-7945f2844b28', '2026-11-29 01:37:35.077484+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f34f647000ba569456dc5aed8c', '{"address": "Zhc_M_SZ3mo4Kqh4uoEEog", "challenge": "01a224f3-4f65-7000-8f5e-87f23bb9b7f0"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4f6b-7002-895f-617835700f79', '2026-11-29 01:37:35.083471+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f34f6a70009f0a485cc9bdbb5e', '{"address": "Zhc_M_SZ3mo4Kqh4uoEEog", "challenge": "01a224f3-4f6b-7000-a3c4-486353197769"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4f73-7002-98dd-3fa2450c027c', '2026-11-29 01:37:35.091597+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f34f7270008be6fb89f68fa312', '{"address": "Zhc_M_SZ3mo4Kqh4uoEEog", "challenge": "01a224f3-4f73-7000-a426-2fadcd64c793"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4f79-7002-b15e-ea3ab29560d1', '2026-11-29 01:37:35.097548+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f34f777000899b300b9748d960', '{"address": "Zhc_M_SZ3mo4Kqh4uoEEog", "challenge": "01a224f3-4f79-7000-b12c-a8db368b89c7"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4f7f-7002-83f7-1aedd21dd110', '2026-11-29 01:37:35.103698+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f34f7e7000aae099adbf2479ec', '{"address": "Zhc_M_SZ3mo4Kqh4uoEEog", "challenge": "01a224f3-4f7f-7000-bf8c-8a08758c5094"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4f86-7002-9021-c1a1c9097922', '2026-11-29 01:37:35.110874+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f34f8570009aa3e840e9693bd8', '{"address": "Zhc_M_SZ3mo4Kqh4uoEEog", "challenge": "01a224f3-4f86-7000-92f3-f5fffafe75f1"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4f8d-7002-a5ba-c4cccbfe87fe', '2026-11-29 01:37:35.117006+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f34f8a7000882afc7de4c89380', '{"address": "Zhc_M_SZ3mo4Kqh4uoEEog", "challenge": "01a224f3-4f8d-7000-a330-865833b300fd"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4f93-7002-a2cd-9a6304318928', '2026-11-29 01:37:35.123434+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f34f927000a247fbe6b5934dc4', '{"address": "Zhc_M_SZ3mo4Kqh4uoEEog", "challenge": "01a224f3-4f93-7000-8176-5ea78fe286e9"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4f9a-7002-a277-d383b74cfb97', '2026-11-29 01:37:35.13008+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f34f997000a5948c674578f5bd', '{"address": "Zhc_M_SZ3mo4Kqh4uoEEog", "challenge": "01a224f3-4f9a-7000-8995-d3d056ea238b"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-4fa0-7003-8175-3fbe8e45ecfd', '2026-11-29 01:37:35.136197+00', 'LINK_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f34f9e70009cf7d3cfe81040fd', '{"address": "Zhc_M_SZ3mo4Kqh4uoEEog", "challenge": "01a224f3-4fa0-7001-a8c0-9e5ddc591938"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-51a2-7002-8d70-0fad3a9d9ec9', '2026-11-29 01:37:35.650555+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f351a070008e09424729ab3529', '{"address": "En4_9MdoWck1Oz-fpdtJew", "challenge": "01a224f3-51a2-7000-8e5e-7e6371ff81ff"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a224f3-53a4-7000-bffc-16b2502db7c6', '2026-11-29 01:37:36.164434+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a224f353a270008d95392405799bc0', '{"address": "En4_9MdoWck1Oz-fpdtJew", "attempt": 1, "challenge": "01a224f3-51a2-7000-8e5e-7e6371ff81ff"}', 1, NULL);
INSERT INTO public.devices VALUES ('01a224f3-3490-7001-8a1d-dadc6d3a764c', '01a224f3-3490-7000-913c-a5bec9f9b629', '\xfd2c17de8f85d3254e43d2846b66dce0fce80f057f1d4d77fce72c41937c37e0', '2026-11-29 01:37:28.208036+00', '2026-11-29 01:37:28.208036+00', '2027-05-28 01:37:28.208036+00', 'Python-urllib/3.11', '127.0.0.1');
INSERT INTO public.devices VALUES ('01a224f3-36b3-7001-8c77-38c3fb9396fd', '01a224f3-3490-7000-913c-a5bec9f9b629', '\xc68b0d8b94566d2ec588dbdf30ebef28509eaa64d770f6823ba482a769fba061', '2026-11-29 01:37:28.755007+00', '2026-11-29 01:37:28.755007+00', '2027-05-28 01:37:28.755007+00', 'Python-urllib/3.11', '127.0.0.1');
INSERT INTO public.devices VALUES ('01a224f3-38d9-7001-bf0c-4d692bb5fbe7', '01a224f3-3490-7000-913c-a5bec9f9b629', '\x1efb68132dbdc89da78e159029a285def41120180e1a30e634b2f0d08a15d8a0', '2026-11-29 01:37:29.305106+00', '2026-11-29 01:37:29.305106+00', '2027-05-28 01:37:29.305106+00', 'Python-urllib/3.11', '127.0.0.1');
INSERT INTO public.devices VALUES ('01a224f3-3af1-7001-8843-50991d9ddc83', '01a224f3-3af1-7000-92a1-91f83f30c052', '\xb7166269c3c92ba4c3b704739e9647e27e77f05791e520dc821a7cd675825ac1', '2026-11-29 01:37:29.841675+00', '2026-11-29 01:37:29.841675+00', '2027-05-28 01:37:29.841675+00', 'Python-urllib/3.11', '127.0.0.1');
INSERT INTO public.devices VALUES ('01a224f3-4100-7001-9785-82bacb123854', '01a224f3-4100-7000-8484-77180bc20ca5', '\x240f66e3b2a37ab66d92360a4f4e1fbbe6f9c11794cc3d5b294b2572155fccb2', '2026-11-29 01:37:31.392345+00', '2026-11-29 01:37:31.392345+00', '2027-05-28 01:37:31.392345+00', 'Python-urllib/3.11', '127.0.0.1');
INSERT INTO public.email_changes VALUES ('01a224f3-3d01-7001-a44b-ffd6f0480d9d', '01a224f3-3af1-7000-92a1-91f83f30c052', 'carl@example.com', 'carl.new@example.com', '\x3473969a672b4c02334c7931df7d9e8b9c967dacb9a02e47d4eb1eddba8047ba', '2026-11-29 01:37:30.369472+00', '2026-12-06 01:37:30.369472+00', NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-3278-7000-b386-0a3410d4ee06', '\x8042c6ba60bdab73c8fabc436d291c0a633b9ea0295e2c7d65e008bbd7117616', 'sign_in', '\x127e3ff4c76859c9353b3f9fa5db497b30f57912a9a39c35bf3e32098c89657a', '\x127e3ff4c76859c9353b3f9fa5db497b30f57912a9a39c35bf3e32098c89657a', 'ada@example.com', NULL, false, '\xaccc7115e5f2d0d5101f9e400365739e8c4ee0fee1fe35b218e9f8a318f7f196', NULL, NULL, '2026-11-29 01:42:27.672482+00', 1, 0, '2026-11-29 01:37:28.208036+00', '2026-11-29 01:37:27.672482+00', '2026-11-29 01:37:28.208036+00', NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-34a6-7000-9ddb-b744fdb958fb', '\xa1d3b8cf6ee4128a3e5029dd2577bd944b25a8b20553c56dc15c7df2b5e3a8d5', 'sign_in', '\x127e3ff4c76859c9353b3f9fa5db497b30f57912a9a39c35bf3e32098c89657a', '\x127e3ff4c76859c9353b3f9fa5db497b30f57912a9a39c35bf3e32098c89657a', 'ada@example.com', NULL, false, '\xef25fa61cbba7d9a427ea0069a86bba13ddbe7dd6142395a0ea0bb1a493b6b2d', NULL, NULL, '2026-11-29 01:42:28.230711+00', 1, 0, '2026-11-29 01:37:28.755007+00', '2026-11-29 01:37:28.230711+00', '2026-11-29 01:37:28.755007+00', NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-36d0-7000-9529-f8150d23b64c', '\xec1c215aa855806ad457554ace196cac265a42cfa97b2cb31c263a499c1544bd', 'sign_in', '\x127e3ff4c76859c9353b3f9fa5db497b30f57912a9a39c35bf3e32098c89657a', '\x127e3ff4c76859c9353b3f9fa5db497b30f57912a9a39c35bf3e32098c89657a', 'ada@example.com', NULL, false, '\xc40355a761245fcfec029cb8e9049586598f4857d448a1cb934c2701c7db9415', NULL, NULL, '2026-11-29 01:42:28.784583+00', 1, 0, '2026-11-29 01:37:29.305106+00', '2026-11-29 01:37:28.784583+00', '2026-11-29 01:37:29.305106+00', NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-38e8-7000-8a64-f1dbe70901a4', '\x5c306d30fb764d6e3ffdd0af3ae1f8bd20fe486f5c85e72954c74eea0cf42f9e', 'sign_in', '\x484adaef4416fa3446d8adc5dd84e706d5fd9d660af264f02f5412eac6fa5437', '\x484adaef4416fa3446d8adc5dd84e706d5fd9d660af264f02f5412eac6fa5437', 'carl@example.com', NULL, false, '\x613703ddfe09b1ab6ede604e5a46e90f81b109b665e1373278380949a727a055', NULL, NULL, '2026-11-29 01:42:29.320543+00', 1, 0, '2026-11-29 01:37:29.841675+00', '2026-11-29 01:37:29.320543+00', '2026-11-29 01:37:29.841675+00', NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-3b02-7000-a89e-7a1a9464d381', '\x7999790181bf3cb170d7e059af930848ecbbc700fadd3450e8fd9e9296332cf3', 'change_email', '\x8c769f3cd868077898528d73b8e59c90ec973374683708ed072d921bf0827fa0', '\x8c769f3cd868077898528d73b8e59c90ec973374683708ed072d921bf0827fa0', 'carl.new@example.com', NULL, false, '\x52f88cfde8ccccae063e31caeed8b5224f574d9a133eb25eeda0a1d78b57eff3', NULL, NULL, '2026-11-29 01:42:29.858129+00', 1, 0, '2026-11-29 01:37:30.369472+00', '2026-11-29 01:37:29.858129+00', '2026-11-29 01:37:30.369472+00', '01a224f3-3af1-7000-92a1-91f83f30c052', NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-3f03-7000-b34d-4d3d2a4bb000', '\xe1f7b7f00d909fff5a886b463127542fea0a2c4d626ad7754ca448109d66b7a9', 'sign_in', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', 'bob@example.com', NULL, false, '\x6e0a7d35ab4ce2ec10bfe523265efb6e9a51fc2395b30ff47b17c17032e237e7', NULL, NULL, '2026-11-29 01:42:30.883055+00', 1, 0, '2026-11-29 01:37:31.392345+00', '2026-11-29 01:37:30.883055+00', '2026-11-29 01:37:31.392345+00', NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-4107-7000-a922-0dabab4c233c', '\x59b03fc814cd38a27e2fa5ddd2b0a5d1fd48d114c4ee690e74b4ca638386d6e0', 'sign_in', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', 'bob@example.com', NULL, false, '\xb4dae0ff9aa18151a484e2001daca80b07efc093d634c0c05aa70884c1542e70', NULL, NULL, '2026-11-29 01:42:31.399461+00', 3, 3, '2026-11-29 01:37:31.923884+00', '2026-11-29 01:37:31.399461+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-4318-7000-ac03-5ce9720b1604', '\x0d7113d4f4bb5130536a3ae4b4d9200d5accf533aa78b43345fb6e93549e19ef', 'sign_in', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', 'bob@example.com', NULL, false, '\x00c9b8c549e214309ef2b42fcc3d9f8016e2fdf6c70cb895ee2874a20dd9b3ae', NULL, NULL, '2026-11-29 01:42:31.92824+00', 3, 3, '2026-11-29 01:37:32.452225+00', '2026-11-29 01:37:31.92824+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-4528-7000-83ba-d2a82bc58ffa', '\x55a8e1220ab73e957741dcedd65affdaed80e92b12ec80522c3ee3f2c22e96b3', 'sign_in', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', 'bob@example.com', NULL, false, '\x5ac22e381a0dcbfaee09c53afd1398cd0926d8d93354e724d057fe93f9eea587', NULL, NULL, '2026-11-29 01:42:32.456227+00', 3, 3, '2026-11-29 01:37:32.975937+00', '2026-11-29 01:37:32.456227+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-4733-7001-bfa6-606298d2aba5', '\xf07b66c8012b367b2d306aa128020c12faf92bb11e5e403a3a3c61f6a8853fcf', 'sign_in', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', 'bob@example.com', NULL, false, '\xe9b0559195f7d076feedeb8ce31d999b40a1254f93955c3e312d95353a2df5f5', NULL, NULL, '2026-11-29 01:42:32.979974+00', 3, 3, '2026-11-29 01:37:33.498417+00', '2026-11-29 01:37:32.979974+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-493e-7000-a236-b5e13c60e2dd', '\xa18b73b77218999ca2e19331989d41f5b2e9620797bf158adb24043289f93676', 'sign_in', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', 'bob@example.com', NULL, false, '\xdc26290d58193746d913598d888ff226bee7741640140739465877643c77581c', NULL, NULL, '2026-11-29 01:42:33.502293+00', 3, 3, '2026-11-29 01:37:34.020783+00', '2026-11-29 01:37:33.502293+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-4b48-7000-a610-1f55102f4fef', '\x825388af183348a716aa89865db3ae236a0fcfd59a801dcacdccb990987ae240', 'sign_in', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', 'bob@example.com', NULL, false, '\x1aea3743e48b6ff8de5866e6a5fca0cf1265ff9074f4cade8e8d3592aae1094a', NULL, NULL, '2026-11-29 01:42:34.024413+00', 3, 3, '2026-11-29 01:37:34.544974+00', '2026-11-29 01:37:34.024413+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-4d54-7001-8918-7abd6da6d0e0', '\xc04d6da827672ea8bcbf6e655159d6c23802f470fef90ddc22698cfa9930b1a4', 'sign_in', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', 'bob@example.com', NULL, false, '\xb793214573d55c02fe7c892995410902fac77e844e9c3bc25873cc8eaffe98a9', NULL, NULL, '2026-11-29 01:42:34.548857+00', 1, 1, '2026-11-29 01:37:35.058192+00', '2026-11-29 01:37:34.548857+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-4f59-7000-8918-39b6584ef26e', '\x9131cfc99f50d17aa81376a32246950f086a1e6f7d24b1539bf3b17c891b151a', 'sign_in', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', 'link@example.com', NULL, false, '\x8b0eff0419c74c2cb614f4a6a9717bc39c23efc1b02b018b9a05fc5c6e6a5f27', NULL, NULL, '2026-11-29 01:42:35.065237+00', 0, 0, NULL, '2026-11-29 01:37:35.065237+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-4f5e-7000-888b-4f9cdb983897', '\x9a3010bec64878fab5dcd74523039663b65cb65897f3b3bdaab9de1c42b2edbd', 'sign_in', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', 'link@example.com', NULL, false, '\x195d7208f81353690b95f668d84afde329818d9b8eac5792460ed8c410083908', NULL, NULL, '2026-11-29 01:42:35.070871+00', 0, 0, NULL, '2026-11-29 01:37:35.070871+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-4f65-7000-8f5e-87f23bb9b7f0', '\x6f155f9ccc42121a1924cc0707e6e5ae4751ba70fbf750316e4d9be9dcaa2a97', 'sign_in', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', 'link@example.com', NULL, false, '\x50d26af6bef59aca07dd740e773a71292865cd5f068ebbd6bbd2412175600c24', NULL, NULL, '2026-11-29 01:42:35.077484+00', 0, 0, NULL, '2026-11-29 01:37:35.077484+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-4f6b-7000-a3c4-486353197769', '\x3fc1241dfabc1ac2b063953e29fb96a33812f4b72bf29488d287d5c07a1f2768', 'sign_in', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', 'link@example.com', NULL, false, '\x493a2271f1179922e86085f4ef8a2007d1529aac9366adf2be142570476aa42f', NULL, NULL, '2026-11-29 01:42:35.083471+00', 0, 0, NULL, '2026-11-29 01:37:35.083471+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-4f73-7000-a426-2fadcd64c793', '\x9a19e21c9a4797230ea3ed1e0901970ab4a38be71d42e580155b5fb60b1a526e', 'sign_in', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', 'link@example.com', NULL, false, '\xd538f89b0a4a11d175833911b35ef82a6efce5b77340cfa9d503674f792e9c9b', NULL, NULL, '2026-11-29 01:42:35.091597+00', 0, 0, NULL, '2026-11-29 01:37:35.091597+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-4f79-7000-b12c-a8db368b89c7', '\x6b2059f1e352260b1acb8c57925366ef96d9baeb19d50199ef9bb462d1ba9e91', 'sign_in', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', 'link@example.com', NULL, false, '\x1f1d88d83a0376e1f9417824f10afc87db61ac8afa1e4d9784b77fab92354dc4', NULL, NULL, '2026-11-29 01:42:35.097548+00', 0, 0, NULL, '2026-11-29 01:37:35.097548+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-4f7f-7000-bf8c-8a08758c5094', '\xe877ce776a46eef2aca40389f62161c236719488d9066b2de5f79b96476d9ce3', 'sign_in', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', 'link@example.com', NULL, false, '\x3f6a206fe37ecd7c16799eb5a09f2be880f4e821071427c29dbf7a83ce66f25f', NULL, NULL, '2026-11-29 01:42:35.103698+00', 0, 0, NULL, '2026-11-29 01:37:35.103698+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-4f86-7000-92f3-f5fffafe75f1', '\xedb540a2a0acbe7dcb680992ad0d6a55b04f478df4e5993d5896032204be14fd', 'sign_in', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', 'link@example.com', NULL, false, '\x29a973442b4b8f098bc55f1d64d2fdbe0ecc72e9347b64b22fdc65244eb271d4', NULL, NULL, '2026-11-29 01:42:35.110874+00', 0, 0, NULL, '2026-11-29 01:37:35.110874+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-4f8d-7000-a330-865833b300fd', '\x88e395b8eddbcb2f048e7c796e77adc4d92e0abacf7e098e52556a09af91902a', 'sign_in', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', 'link@example.com', NULL, false, '\x085145a69567d31cd328ffc252f6321fcd9f49bc28346d822cc93f798cc78851', NULL, NULL, '2026-11-29 01:42:35.117006+00', 0, 0, NULL, '2026-11-29 01:37:35.117006+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-4f93-7000-8176-5ea78fe286e9', '\x67efa288161f9e70d5ab977cf258e06fc549e30a80da8b8c0284e0aa1ba66bac', 'sign_in', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', 'link@example.com', NULL, false, '\x070d5825d6c5de74bcbfb141b1810f1e06a8c2c2e9eb41c932d0609d22b4d20b', NULL, NULL, '2026-11-29 01:42:35.123434+00', 0, 0, NULL, '2026-11-29 01:37:35.123434+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-53b1-7000-9fc7-15c727fcf87a', '\x9ce2066d0097e24fed17e8ad722932b02835f89707db8eb0a7688618a0b82d81', 'change_email', '\xa8da543cbabc1a5c5e42e9c20b492254db49fbc31da238e400d2c4919ba01f73', '\xa8da543cbabc1a5c5e42e9c20b492254db49fbc31da238e400d2c4919ba01f73', 'ada.new@example.com', NULL, false, '\x2524256e0e7547403ba953c2dd4a41fe1007a07bd5f37779eaa403350cbe727b', NULL, NULL, '2026-11-29 01:42:36.177434+00', 0, 0, NULL, '2026-11-29 01:37:36.177434+00', NULL, '01a224f3-3490-7000-913c-a5bec9f9b629', NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-4f9a-7000-8995-d3d056ea238b', '\xf93bff3c239b5653f6ebacdd399c92af51ae07944440b149f818929af596143a', 'sign_in', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', 'link@example.com', NULL, false, '\x5022046e22a59c75d38138654fcbb0391847d08793710aae61f95813950d4145', NULL, NULL, '2026-11-29 01:42:35.13008+00', 0, 0, NULL, '2026-11-29 01:37:35.13008+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-4fa0-7001-a8c0-9e5ddc591938', '\xf1cc93a54b0281a993c9078041f48f8178accc73726b077ab9cb320b953a4ef7', 'sign_in', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', 'link@example.com', NULL, false, '\xade617948e1927c8c2cd29ee2497765a704771b290eb150cf329ef29cd78952d', NULL, NULL, '2026-11-29 01:42:35.136197+00', 0, 0, NULL, '2026-11-29 01:37:35.136197+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a224f3-51a2-7000-8e5e-7e6371ff81ff', '\x76915560485c3741289070e487787b39307eaea5a6b632d6870b0773f59a0f14', 'sign_in', '\x127e3ff4c76859c9353b3f9fa5db497b30f57912a9a39c35bf3e32098c89657a', '\x17920474f2b8b9a235683b803dc4e3e54cfa08bffb739ac296d86d1778cf8f7c', 'ada@example.com', '01a224f3-3490-7001-8a1d-dadc6d3a764c', false, '\xa575d9755cfc63ca0bdbf3112401a27c42e3005530ea2b35ae517cd4444b443f', NULL, NULL, '2026-11-29 01:42:35.650555+00', 2, 2, '2026-11-29 01:37:36.171907+00', '2026-11-29 01:37:35.650555+00', NULL, NULL, NULL);
INSERT INTO public.outbox VALUES ('01a224f3-4528-7001-bd31-cbf230b2fd4e', 'code', 'SENT', NULL, 1, '2026-11-29 01:37:32.456227+00', '2026-11-29 01:37:32.456227+00', NULL, '2026-11-29 01:42:32.456227+00', '2026-11-29 01:37:32.460305+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-3278-7001-b2ef-0416912b64f6', 'code', 'SENT', NULL, 1, '2026-11-29 01:37:27.672482+00', '2026-11-29 01:37:27.672482+00', NULL, '2026-11-29 01:42:27.672482+00', '2026-11-29 01:37:27.702159+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-34a6-7001-a891-f2f1ae42f5e5', 'code', 'SENT', NULL, 1, '2026-11-29 01:37:28.230711+00', '2026-11-29 01:37:28.230711+00', NULL, '2026-11-29 01:42:28.230711+00', '2026-11-29 01:37:28.241358+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-4f79-7001-850a-26cf54eaa4f8', 'code', 'SENT', NULL, 1, '2026-11-29 01:37:35.097548+00', '2026-11-29 01:37:35.097548+00', NULL, '2026-11-29 01:42:35.097548+00', '2026-11-29 01:37:35.101696+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-4733-7002-8402-105433dc2223', 'code', 'SENT', NULL, 1, '2026-11-29 01:37:32.979974+00', '2026-11-29 01:37:32.979974+00', NULL, '2026-11-29 01:42:32.979974+00', '2026-11-29 01:37:32.984258+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-36b3-7004-acd3-5122c7858a4b', 'new-device', 'SENT', NULL, 1, '2026-11-29 01:37:28.755007+00', '2026-11-29 01:37:28.755007+00', NULL, '2026-12-01 01:37:28.755007+00', '2026-11-29 01:37:28.792542+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-36d0-7001-8153-62a3ec86bb23', 'code', 'SENT', NULL, 1, '2026-11-29 01:37:28.784583+00', '2026-11-29 01:37:28.784583+00', NULL, '2026-11-29 01:42:28.784583+00', '2026-11-29 01:37:28.793937+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-38e8-7001-a9fa-1290c953271e', 'code', 'SENT', NULL, 1, '2026-11-29 01:37:29.320543+00', '2026-11-29 01:37:29.320543+00', NULL, '2026-11-29 01:42:29.320543+00', '2026-11-29 01:37:29.33531+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-38d9-7004-9689-41b8f2d66c6b', 'new-device', 'SENT', NULL, 1, '2026-11-29 01:37:29.305106+00', '2026-11-29 01:37:29.305106+00', NULL, '2026-12-01 01:37:29.305106+00', '2026-11-29 01:37:29.336457+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-493e-7001-b55c-35fbc2243231', 'code', 'SENT', NULL, 1, '2026-11-29 01:37:33.502293+00', '2026-11-29 01:37:33.502293+00', NULL, '2026-11-29 01:42:33.502293+00', '2026-11-29 01:37:33.506351+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-3b02-7001-9cc7-0cd145e83ca9', 'email-code', 'SENT', NULL, 1, '2026-11-29 01:37:29.858129+00', '2026-11-29 01:37:29.858129+00', NULL, '2026-11-29 01:42:29.858129+00', '2026-11-29 01:37:29.861832+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-3d01-7002-ad0a-89eb4b823d8a', 'email-changed', 'SENT', NULL, 1, '2026-11-29 01:37:30.369472+00', '2026-11-29 01:37:30.369472+00', NULL, '2026-12-06 01:37:30.369472+00', '2026-11-29 01:37:30.378502+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-53b1-7001-982a-552e019cacdd', 'email-code', 'SENT', NULL, 1, '2026-11-29 01:37:36.177434+00', '2026-11-29 01:37:36.177434+00', NULL, '2026-11-29 01:42:36.177434+00', '2026-11-29 01:37:36.180755+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-3f03-7001-8325-7b64d9502321', 'code', 'SENT', NULL, 1, '2026-11-29 01:37:30.883055+00', '2026-11-29 01:37:30.883055+00', NULL, '2026-11-29 01:42:30.883055+00', '2026-11-29 01:37:30.888578+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-4b48-7001-9fa9-2d37e71c40dd', 'code', 'SENT', NULL, 1, '2026-11-29 01:37:34.024413+00', '2026-11-29 01:37:34.024413+00', NULL, '2026-11-29 01:42:34.024413+00', '2026-11-29 01:37:34.028492+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-4107-7001-8487-462fec87b3a9', 'code', 'SENT', NULL, 1, '2026-11-29 01:37:31.399461+00', '2026-11-29 01:37:31.399461+00', NULL, '2026-11-29 01:42:31.399461+00', '2026-11-29 01:37:31.403592+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-4318-7001-b353-fd5681eb2c8d', 'code', 'SENT', NULL, 1, '2026-11-29 01:37:31.92824+00', '2026-11-29 01:37:31.92824+00', NULL, '2026-11-29 01:42:31.92824+00', '2026-11-29 01:37:31.934006+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-4f7f-7001-8f28-42fcc138761d', 'code', 'SENT', NULL, 1, '2026-11-29 01:37:35.103698+00', '2026-11-29 01:37:35.103698+00', NULL, '2026-11-29 01:42:35.103698+00', '2026-11-29 01:37:35.108238+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-4d54-7002-9e5e-1d79135c5a47', 'code', 'SENT', NULL, 1, '2026-11-29 01:37:34.548857+00', '2026-11-29 01:37:34.548857+00', NULL, '2026-11-29 01:42:34.548857+00', '2026-11-29 01:37:34.553048+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-4f59-7001-90a7-4a5043b8bb5f', 'code', 'SENT', NULL, 1, '2026-11-29 01:37:35.065237+00', '2026-11-29 01:37:35.065237+00', NULL, '2026-11-29 01:42:35.065237+00', '2026-11-29 01:37:35.069764+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-4f86-7001-b7c4-145fb87bc71d', 'code', 'SENT', NULL, 1, '2026-11-29 01:37:35.110874+00', '2026-11-29 01:37:35.110874+00', NULL, '2026-11-29 01:42:35.110874+00', '2026-11-29 01:37:35.116577+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-4f5e-7001-aa12-71bad4a9f356', 'code', 'SENT', NULL, 1, '2026-11-29 01:37:35.070871+00', '2026-11-29 01:37:35.070871+00', NULL, '2026-11-29 01:42:35.070871+00', '2026-11-29 01:37:35.076517+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-4f65-7001-92ba-1f5edec1f178', 'code', 'SENT', NULL, 1, '2026-11-29 01:37:35.077484+00', '2026-11-29 01:37:35.077484+00', NULL, '2026-11-29 01:42:35.077484+00', '2026-11-29 01:37:35.081226+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-4f6b-7001-9fb2-9f7caa172f48', 'code', 'SENT', NULL, 1, '2026-11-29 01:37:35.083471+00', '2026-11-29 01:37:35.083471+00', NULL, '2026-11-29 01:42:35.083471+00', '2026-11-29 01:37:35.088451+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-4f8d-7001-80f3-994c5c1b8c59', 'code', 'SENT', NULL, 1, '2026-11-29 01:37:35.117006+00', '2026-11-29 01:37:35.117006+00', NULL, '2026-11-29 01:42:35.117006+00', '2026-11-29 01:37:35.12095+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-4f73-7001-822c-5d759fdadbfd', 'code', 'SENT', NULL, 1, '2026-11-29 01:37:35.091597+00', '2026-11-29 01:37:35.091597+00', NULL, '2026-11-29 01:42:35.091597+00', '2026-11-29 01:37:35.096916+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-4f93-7001-8302-822aa0fc92d3', 'code', 'SENT', NULL, 1, '2026-11-29 01:37:35.123434+00', '2026-11-29 01:37:35.123434+00', NULL, '2026-11-29 01:42:35.123434+00', '2026-11-29 01:37:35.127663+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-4f9a-7001-854d-0f005137c9f4', 'code', 'SENT', NULL, 1, '2026-11-29 01:37:35.13008+00', '2026-11-29 01:37:35.13008+00', NULL, '2026-11-29 01:42:35.13008+00', '2026-11-29 01:37:35.13414+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-4fa0-7002-a0e6-7e2906f14d82', 'link', 'SENT', NULL, 1, '2026-11-29 01:37:35.136197+00', '2026-11-29 01:37:35.136197+00', NULL, '2026-11-30 01:37:35.136197+00', '2026-11-29 01:37:35.140982+00', NULL);
INSERT INTO public.outbox VALUES ('01a224f3-51a2-7001-bdf3-dc3ec2ddf9b2', 'code', 'SENT', NULL, 1, '2026-11-29 01:37:35.650555+00', '2026-11-29 01:37:35.650555+00', NULL, '2026-11-29 01:42:35.650555+00', '2026-11-29 01:37:35.656729+00', NULL);
INSERT INTO public.seaql_migrations VALUES ('m20261121_000001_people', 1795916247);
INSERT INTO public.seaql_migrations VALUES ('m20261121_000002_codes', 1795916247);
INSERT INTO public.seaql_migrations VALUES ('m20261121_000003_mail', 1795916247);
INSERT INTO public.seaql_migrations VALUES ('m20261121_000004_audit', 1795916247);
INSERT INTO public.seaql_migrations VALUES ('m20261121_000005_keys', 1795916247);
INSERT INTO public.seaql_migrations VALUES ('m20261121_000006_people_management', 1795916247);
INSERT INTO public.seaql_migrations VALUES ('m20261121_000007_purge', 1795916247);
INSERT INTO public.seaql_migrations VALUES ('m20261128_000008_limits', 1795916247);
INSERT INTO public.seaql_migrations VALUES ('m20261128_000009_labels', 1795916247);
INSERT INTO public.sessions VALUES ('01a224f3-3490-7002-90b0-481d2b2c0273', '01a224f3-3490-7000-913c-a5bec9f9b629', '01a224f3-3490-7001-8a1d-dadc6d3a764c', '01a224f3-3278-7000-b386-0a3410d4ee06', 'otp', '2026-11-29 01:37:28.208036+00', '2026-11-29 01:37:28.208036+00', '2026-12-06 01:37:28.208036+00', '2026-12-29 01:37:28.208036+00', NULL, NULL, 'Python-urllib/3.11', '127.0.0.1', '\xc7222edca2fbd53bcdb15f4a289a365b3827e8b361b69aa9710cbe83b1e965db', NULL, NULL, NULL);
INSERT INTO public.sessions VALUES ('01a224f3-36b3-7002-a737-da2dfbd011ef', '01a224f3-3490-7000-913c-a5bec9f9b629', '01a224f3-36b3-7001-8c77-38c3fb9396fd', '01a224f3-34a6-7000-9ddb-b744fdb958fb', 'otp', '2026-11-29 01:37:28.755007+00', '2026-11-29 01:37:28.775113+00', '2026-12-06 01:37:28.775113+00', '2026-12-29 01:37:28.755007+00', NULL, NULL, 'Python-urllib/3.11', '127.0.0.1', '\xa8d27d97f610cba7b0fde549ab7c702bca0a6b0134b56626945e2a07a149fb77', '\x849e1a916e8957aa0afe2b3ec4d955cd76f9c29c02002160dfbcfff86bdfd08d', '2026-11-29 01:37:28.775113+00', '\x63986a3e6dac43da5a85271a5925ff3ed8696f7946af7b2be02374c25baeadf28a8f6bf786bc51720a13e0efaa013aa69cace83e44b844257c47e380fe9110bf9840a8fe1ee6bbdf1dba1f39cf1dd543f39416e18f6b2db2b3180f3e');
INSERT INTO public.sessions VALUES ('01a224f3-38d9-7002-997b-b0284d3c37ca', '01a224f3-3490-7000-913c-a5bec9f9b629', '01a224f3-38d9-7001-bf0c-4d692bb5fbe7', '01a224f3-36d0-7000-9529-f8150d23b64c', 'otp', '2026-11-29 01:37:29.305106+00', '2026-11-29 01:37:29.305106+00', '2026-12-06 01:37:29.305106+00', '2026-12-29 01:37:29.305106+00', '2026-11-29 01:37:29.315884+00', 'SIGNED_OUT', 'Python-urllib/3.11', '127.0.0.1', '\x694316f8d1365497a9d6e1d04a238ba94e2695fedb0e1a871e0fb5068e5f0dac', NULL, NULL, NULL);
INSERT INTO public.sessions VALUES ('01a224f3-3af1-7002-a3e8-f3ba5b3462ba', '01a224f3-3af1-7000-92a1-91f83f30c052', '01a224f3-3af1-7001-8843-50991d9ddc83', '01a224f3-38e8-7000-8a64-f1dbe70901a4', 'otp', '2026-11-29 01:37:29.841675+00', '2026-11-29 01:37:29.841675+00', '2026-12-06 01:37:29.841675+00', '2026-12-29 01:37:29.841675+00', NULL, NULL, 'Python-urllib/3.11', '127.0.0.1', '\x33a48a9ad1f1b06eaccc5b0f750981cfd58d1b396e5fb3b6de3f0009b3d646fc', NULL, NULL, NULL);
INSERT INTO public.sessions VALUES ('01a224f3-4100-7002-ba1f-154b66a962ac', '01a224f3-4100-7000-8484-77180bc20ca5', '01a224f3-4100-7001-9785-82bacb123854', '01a224f3-3f03-7000-b34d-4d3d2a4bb000', 'otp', '2026-11-29 01:37:31.392345+00', '2026-11-29 01:37:31.392345+00', '2026-12-06 01:37:31.392345+00', '2026-12-29 01:37:31.392345+00', NULL, NULL, 'Python-urllib/3.11', '127.0.0.1', '\x89c2cb27935f1c110cd21ba22a3a53ef5f16da112c47d662957c1a97df4fa04b', NULL, NULL, NULL);
INSERT INTO public.sign_in_links VALUES ('01a224f3-4fa0-7000-929a-6447bb1b5dcf', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', 'link@example.com', '\x54e899d7814d26f609cabc215918c1210d112965de1c2a9e49f0c30d7cab1b77', '\x456213632fd23d579e60f67b744c9107de5906bb596da8aee2e286dabc6f2bcbbf3369ddfe9c999002c1cea0db88e49251f23b8dd53b742451dd1fb6', '2026-11-29 01:37:35.136197+00', '2026-11-30 01:37:35.136197+00', NULL, true);
INSERT INTO public.signing_keys VALUES ('01a224f3-322e-7000-aaa7-ceb81bf77e36', 'EdDSA', '\xe6f55803af62adfee2a34a90381e1c9b1600b0b1973f53d2d978b0acc7ecb6f397891420a029752b82aceb1f25b915820685fa663ed6cb41fee5cc4af627795a28a779e0cb7ebff94d13b999d8a0e72664387c8b2773de7fa94ead6a35ca6cdc5795451704c8c3b9f81c327ec11b5a', '{"x": "hslQSNVljK1mIVAtRiFhSA7LCT-6RxWTyiHN_UBQIuA", "alg": "EdDSA", "crv": "Ed25519", "kid": "01a224f3-322e-7000-aaa7-ceb81bf77e36", "kty": "OKP", "use": "sig"}', '2026-11-29 01:37:27.598533+00', '2026-11-29 01:37:27.598533+00', NULL);
INSERT INTO public.users VALUES ('01a224f3-3490-7000-913c-a5bec9f9b629', 'ada@example.com', NULL, 'USER', 'ACTIVE', '2026-11-29 01:37:28.208036+00', '2026-11-29 01:37:28.208036+00', '2026-11-29 01:37:29.305106+00', 1, '', NULL, NULL);
INSERT INTO public.users VALUES ('01a224f3-3af1-7000-92a1-91f83f30c052', 'carl.new@example.com', NULL, 'USER', 'ACTIVE', '2026-11-29 01:37:29.841675+00', '2026-11-29 01:37:30.369472+00', '2026-11-29 01:37:29.841675+00', 2, '', NULL, NULL);
INSERT INTO public.users VALUES ('01a224f3-4100-7000-8484-77180bc20ca5', 'bob@example.com', NULL, 'USER', 'ACTIVE', '2026-11-29 01:37:31.392345+00', '2026-11-29 01:37:31.392345+00', '2026-11-29 01:37:31.392345+00', 1, '', NULL, NULL);
ALTER TABLE ONLY public.audit_events
    ADD CONSTRAINT audit_events_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audit_events
    ADD CONSTRAINT audit_events_refusal_key_key UNIQUE (refusal_key);
ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_token_hash_key UNIQUE (token_hash);
ALTER TABLE ONLY public.email_changes
    ADD CONSTRAINT email_changes_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.email_changes
    ADD CONSTRAINT email_changes_token_hash_key UNIQUE (token_hash);
ALTER TABLE ONLY public.email_codes
    ADD CONSTRAINT email_codes_handle_hash_key UNIQUE (handle_hash);
ALTER TABLE ONLY public.email_codes
    ADD CONSTRAINT email_codes_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.seaql_migrations
    ADD CONSTRAINT seaql_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_credential_id_key UNIQUE (credential_id);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.sign_in_links
    ADD CONSTRAINT sign_in_links_address_key_key UNIQUE (address_key);
ALTER TABLE ONLY public.sign_in_links
    ADD CONSTRAINT sign_in_links_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.sign_in_links
    ADD CONSTRAINT sign_in_links_token_hash_key UNIQUE (token_hash);
ALTER TABLE ONLY public.signing_keys
    ADD CONSTRAINT signing_keys_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_email_key UNIQUE (email);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);
CREATE INDEX audit_events_actor_id_id_idx ON public.audit_events USING btree (actor_id, id);
CREATE INDEX audit_events_address_idx ON public.audit_events USING btree (((detail ->> 'address'::text))) WHERE ((detail ->> 'address'::text) IS NOT NULL);
CREATE INDEX audit_events_at_idx ON public.audit_events USING btree (at);
CREATE INDEX audit_events_forget_idx ON public.audit_events USING btree (at) WHERE ((ip_address IS NOT NULL) OR (user_agent IS NOT NULL) OR (refusal_key IS NOT NULL));
CREATE INDEX audit_events_kind_id_idx ON public.audit_events USING btree (kind, id);
CREATE INDEX audit_events_subject_id_id_idx ON public.audit_events USING btree (subject_id, id);
CREATE INDEX devices_expires_at_idx ON public.devices USING btree (expires_at);
CREATE INDEX devices_forget_idx ON public.devices USING btree (last_used_at) WHERE (ip_address IS NOT NULL);
CREATE INDEX devices_user_id_idx ON public.devices USING btree (user_id);
CREATE INDEX email_changes_expires_at_idx ON public.email_changes USING btree (expires_at);
CREATE INDEX email_changes_user_id_idx ON public.email_changes USING btree (user_id);
CREATE INDEX email_codes_budget_key_attempted_at_idx ON public.email_codes USING btree (budget_key, attempted_at);
CREATE INDEX email_codes_expires_at_idx ON public.email_codes USING btree (expires_at);
CREATE INDEX email_codes_forget_idx ON public.email_codes USING btree (expires_at) WHERE (email <> ''::text);
CREATE INDEX email_codes_person_idx ON public.email_codes USING btree (user_id, attempted_at) WHERE (user_id IS NOT NULL);
CREATE INDEX outbox_finished_at_idx ON public.outbox USING btree (finished_at) WHERE (finished_at IS NOT NULL);
CREATE INDEX outbox_next_attempt_at_idx ON public.outbox USING btree (next_attempt_at) WHERE (state = 'PENDING'::text);
CREATE INDEX sessions_device_id_idx ON public.sessions USING btree (device_id);
CREATE INDEX sessions_ended_at_idx ON public.sessions USING btree (ended_at) WHERE (ended_at IS NOT NULL);
CREATE INDEX sessions_expires_at_idx ON public.sessions USING btree (expires_at);
CREATE INDEX sessions_forget_idx ON public.sessions USING btree (created_at) WHERE (ip_address IS NOT NULL);
CREATE INDEX sessions_open_idx ON public.sessions USING btree (user_id, id) WHERE (ended_at IS NULL);
CREATE INDEX sessions_rotated_at_idx ON public.sessions USING btree (rotated_at) WHERE (successor IS NOT NULL);
CREATE INDEX sessions_user_id_created_at_idx ON public.sessions USING btree (user_id, created_at);
CREATE INDEX sign_in_links_expires_at_idx ON public.sign_in_links USING btree (expires_at);
CREATE INDEX signing_keys_signs_from_idx ON public.signing_keys USING btree (signs_from);
CREATE INDEX users_deleted_at_idx ON public.users USING btree (deleted_at) WHERE (deleted_at IS NOT NULL);
CREATE INDEX users_list_created_at_idx ON public.users USING btree (role, status, created_at, id);
CREATE INDEX users_list_email_idx ON public.users USING btree (role, status, email, id);
CREATE INDEX users_list_last_sign_in_at_idx ON public.users USING btree (role, status, COALESCE(last_sign_in_at, '1970-01-01 00:00:00+00'::timestamp with time zone), id);
CREATE INDEX users_list_name_key_idx ON public.users USING btree (role, status, name_key, id);
ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.email_changes
    ADD CONSTRAINT email_changes_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
