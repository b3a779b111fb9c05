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
INSERT INTO public.audit_events VALUES ('01a22503-7cd7-7001-bd9a-61e6b03ce7b9', '2026-11-29 01:55:15.28717+00', 'KEY_ROTATED', NULL, NULL, NULL, NULL, NULL, '{"kid": "01a22503-7cd7-7000-92d7-5995149bc67a", "algorithm": "EdDSA", "signsFrom": "2026-11-29T01:55:15.287170Z"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-7ddf-7002-9deb-73cf76a84df6', '2026-11-29 01:55:15.551039+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a225037ddd7000852af29e2cf42ccd', '{"address": "En4_9MdoWck1Oz-fpdtJew", "challenge": "01a22503-7ddf-7000-959f-8677a90b4db5"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-8018-7003-89b1-37ea8ca44b8a', '2026-11-29 01:55:16.120452+00', 'SIGNED_UP', '01a22503-8018-7000-a98b-84bf33afcd42', '01a22503-8018-7000-a98b-84bf33afcd42', '127.0.0.1', 'Python-urllib/3.11', '01a2250380167000b421268918f08076', '{"device": "01a22503-8018-7001-bd6e-3451760955b3", "method": "otp", "session": "01a22503-8018-7002-afee-022b3ab0e6ef"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-8030-7002-be53-dfb5b0b9094c', '2026-11-29 01:55:16.144944+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a22503802c7000a4e6a96747bccc64', '{"address": "En4_9MdoWck1Oz-fpdtJew", "challenge": "01a22503-8030-7000-8951-750529459bb7"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-8244-7003-9a15-2dd44ec84565', '2026-11-29 01:55:16.676991+00', 'SIGNED_IN', '01a22503-8018-7000-a98b-84bf33afcd42', '01a22503-8018-7000-a98b-84bf33afcd42', '127.0.0.1', 'Python-urllib/3.11', '01a2250382437000a48a0cb06ee91d07', '{"device": "01a22503-8244-7001-b076-c75bdaec7890", "method": "otp", "session": "01a22503-8244-7002-9df8-85813fdad403"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-8257-7002-b0ae-db6c8b3f689c', '2026-11-29 01:55:16.695441+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a22503825670009052dee8ea5b7a01', '{"address": "En4_9MdoWck1Oz-fpdtJew", "challenge": "01a22503-8257-7000-ab02-d366d66174ed"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-846b-7003-85ac-c46acc34a151', '2026-11-29 01:55:17.227763+00', 'SIGNED_IN', '01a22503-8018-7000-a98b-84bf33afcd42', '01a22503-8018-7000-a98b-84bf33afcd42', '127.0.0.1', 'Python-urllib/3.11', '01a2250384697000910a473cfd696c51', '{"device": "01a22503-846b-7001-bdf7-93613e793e50", "method": "otp", "session": "01a22503-846b-7002-826d-a607a8496b84"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-8488-7000-83e3-508cc2d488b6', '2026-11-29 01:55:17.256608+00', 'SIGNED_OUT', '01a22503-8018-7000-a98b-84bf33afcd42', '01a22503-8018-7000-a98b-84bf33afcd42', '127.0.0.1', 'Python-urllib/3.11', '01a22503848170009c3b860a1af2ebb8', '{"reason": "SIGNED_OUT", "session": "01a22503-846b-7002-826d-a607a8496b84"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-84ea-7002-b113-3c593dbdfda4', '2026-11-29 01:55:17.354028+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a2250384e87000a3d91930486fc629', '{"address": "SEra70QW-jRG2K3F3YTnBg", "challenge": "01a22503-84ea-7000-bf80-4e405a9e16bb"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-870c-7003-ae3b-2a68ad3e09fa', '2026-11-29 01:55:17.900468+00', 'SIGNED_UP', '01a22503-870c-7000-8411-edbaab81b77a', '01a22503-870c-7000-8411-edbaab81b77a', '127.0.0.1', 'Python-urllib/3.11', '01a22503870a7000a6284f68aca4d489', '{"device": "01a22503-870c-7001-83bc-8eef5cb01041", "method": "otp", "session": "01a22503-870c-7002-9de7-a7154419aa67"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-8783-7002-9fda-4075c414ad20', '2026-11-29 01:55:18.01939+00', 'EMAIL_CHANGE_REQUESTED', '01a22503-870c-7000-8411-edbaab81b77a', '01a22503-870c-7000-8411-edbaab81b77a', '127.0.0.1', 'Python-urllib/3.11', '01a22503874a700098659c5c553ad0a7', '{"address": "jHafPNhoB3iYUo1zuOWckA", "challenge": "01a22503-8783-7000-8290-246e4b5bb3c8"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-8a08-7000-a666-b4bbe0af42ce', '2026-11-29 01:55:18.664014+00', 'EMAIL_CHANGED', '01a22503-870c-7000-8411-edbaab81b77a', '01a22503-870c-7000-8411-edbaab81b77a', '127.0.0.1', 'Python-urllib/3.11', '01a225038a047000bd927142cf732e3d', '{"email": ["carl@example.com", "carl.new@example.com"], "sessions": []}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-8c94-7002-a9da-4aec14795751', '2026-11-29 01:55:19.316661+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a225038c9270009410acc15ca7b34f', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "challenge": "01a22503-8c94-7000-aef9-6850a23f55f9"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-8ebb-7003-8609-96a08e87b203', '2026-11-29 01:55:19.867312+00', 'SIGNED_UP', '01a22503-8ebb-7000-a314-ffd122f13efa', '01a22503-8ebb-7000-a314-ffd122f13efa', '127.0.0.1', 'Python-urllib/3.11', '01a225038eb3700087e7c5cfd39765b6', '{"device": "01a22503-8ebb-7001-bca8-dc341c82f24d", "method": "otp", "session": "01a22503-8ebb-7002-841f-86937b360ba6"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-8ec7-7002-a503-3dc7a043eecc', '2026-11-29 01:55:19.879903+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a225038ec6700089dd82eb03145bab', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "challenge": "01a22503-8ec7-7000-9f3a-93be49aa9a93"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-90cc-7000-83fb-27a9bda811c5', '2026-11-29 01:55:20.396072+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a2250390ca7000836bc0676213c47b', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 1, "challenge": "01a22503-8ec7-7000-9f3a-93be49aa9a93"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-90d4-7000-8e92-0e6d357c06c9', '2026-11-29 01:55:20.404901+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a2250390d3700081017babb4817d75', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 2, "challenge": "01a22503-8ec7-7000-9f3a-93be49aa9a93"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-90db-7000-a88c-9e89b34125ce', '2026-11-29 01:55:20.411789+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a2250390da70009863e4244403eba8', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 3, "challenge": "01a22503-8ec7-7000-9f3a-93be49aa9a93"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-90e3-7002-8fc3-e1118e806946', '2026-11-29 01:55:20.419494+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a2250390e27000afeddbe3bd514578', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "challenge": "01a22503-90e3-7000-940c-2699c30b1443"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-92ee-7000-8c06-320b152508e6', '2026-11-29 01:55:20.942274+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a2250392ec70009965eeacc4f13d3e', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 1, "challenge": "01a22503-90e3-7000-940c-2699c30b1443"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-92f9-7000-9f97-53d2a4afabae', '2026-11-29 01:55:20.953718+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a2250392f870008bfeaaad9990a669', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 2, "challenge": "01a22503-90e3-7000-940c-2699c30b1443"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-9305-7000-bdab-6acb5e709aad', '2026-11-29 01:55:20.965112+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a22503930370008e5ddf6581f39ac7', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 3, "challenge": "01a22503-90e3-7000-940c-2699c30b1443"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-930b-7002-aff2-d9bdf547e2c4', '2026-11-29 01:55:20.971964+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a22503930a7000b5518650f831f907', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "challenge": "01a22503-930b-7000-abae-2ec6ff27638c"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-9555-7000-8667-38a75110ffa0', '2026-11-29 01:55:21.557467+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a2250395487000b7f714f90c40614f', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 1, "challenge": "01a22503-930b-7000-abae-2ec6ff27638c"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-9578-7000-ac7e-65f9facd245c', '2026-11-29 01:55:21.592871+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a22503956f7000bb0671ce13614015', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 2, "challenge": "01a22503-930b-7000-abae-2ec6ff27638c"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-959d-7000-9588-1b777d3ddef1', '2026-11-29 01:55:21.629848+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a2250395997000960d9c81cfdc283c', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 3, "challenge": "01a22503-930b-7000-abae-2ec6ff27638c"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-95e8-7002-b96f-5dd08bb5ee59', '2026-11-29 01:55:21.704746+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a2250395b970008b71bbd79ba5bab1', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "challenge": "01a22503-95e8-7000-8bc0-5156ffc6f0a1"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-98dc-7000-856a-c060f61db8fc', '2026-11-29 01:55:22.460435+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a2250398d970008f468a2bb24c9559', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 1, "challenge": "01a22503-95e8-7000-8bc0-5156ffc6f0a1"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-98e5-7000-bcc3-7a09470df1df', '2026-11-29 01:55:22.469232+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a2250398e170009139467ded5b4593', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 2, "challenge": "01a22503-95e8-7000-8bc0-5156ffc6f0a1"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-98fa-7000-b4d4-c5ec97c3683f', '2026-11-29 01:55:22.490553+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a2250398ea7000acc1e6b93e116202', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 3, "challenge": "01a22503-95e8-7000-8bc0-5156ffc6f0a1"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-9905-7002-8e18-74290ba8add4', '2026-11-29 01:55:22.501256+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a2250399027000ae799b68bb0f919e', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "challenge": "01a22503-9905-7000-bdde-f54f821865b4"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-a084-7002-bac7-f49603908827', '2026-11-29 01:55:24.420075+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a22503a0817000acabac417f1750b5', '{"address": "Zhc_M_SZ3mo4Kqh4uoEEog", "challenge": "01a22503-a084-7000-bd74-edfb507473eb"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-9b0d-7000-9fba-e0f3bce09f35', '2026-11-29 01:55:23.021714+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a225039b0a7000aa951877a60efbdd', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 1, "challenge": "01a22503-9905-7000-bdde-f54f821865b4"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-9b21-7000-b29d-75d0e7686ab6', '2026-11-29 01:55:23.04195+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a225039b1c7000889d347c814c7e16', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 3, "challenge": "01a22503-9905-7000-bdde-f54f821865b4"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-9d70-7000-9507-f2eccda4c6ce', '2026-11-29 01:55:23.632483+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a225039d6e70009c05c2bf3b4a6aa4', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 2, "challenge": "01a22503-9b31-7000-8277-33170a4eba53"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-9d9f-7002-8ea4-d65d39810a8a', '2026-11-29 01:55:23.679754+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a225039d9d7000aeffa0f269718dd6', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "challenge": "01a22503-9d9f-7000-b38a-a8999dc8f717"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-9fad-7000-b99c-621c4a034e7b', '2026-11-29 01:55:24.205574+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a225039fab7000a1f76ee460e6bfab', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 1, "challenge": "01a22503-9d9f-7000-b38a-a8999dc8f717"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-a09e-7002-8e31-e4ff41609562', '2026-11-29 01:55:24.446895+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a22503a0957000bd091730ca3b9c35', '{"address": "Zhc_M_SZ3mo4Kqh4uoEEog", "challenge": "01a22503-a09e-7000-977f-87f9bbe07e74"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-a0ba-7002-b835-77bd82f69b2c', '2026-11-29 01:55:24.474808+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a22503a0b6700094c5a17a08efd3dd', '{"address": "Zhc_M_SZ3mo4Kqh4uoEEog", "challenge": "01a22503-a0ba-7000-974f-c8931aa67049"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-a0d4-7002-83bb-b693eb95f27f', '2026-11-29 01:55:24.500991+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a22503a0cd7000abb835ed78728d11', '{"address": "Zhc_M_SZ3mo4Kqh4uoEEog", "challenge": "01a22503-a0d4-7000-9379-baf1c943beca"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-a101-7003-944c-01d4628541dc', '2026-11-29 01:55:24.545237+00', 'LINK_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a22503a0f270009f6d3a297fcf56a0', '{"address": "Zhc_M_SZ3mo4Kqh4uoEEog", "challenge": "01a22503-a101-7001-9d8f-5fed75272b01"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-a38a-7002-a20f-55ce6e165f75', '2026-11-29 01:55:25.194542+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a22503a36670008d5131a488fc3a7b', '{"address": "En4_9MdoWck1Oz-fpdtJew", "challenge": "01a22503-a38a-7000-85f0-9c2e0a464419"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-a60f-7000-aa14-3c41367dc216', '2026-11-29 01:55:25.839389+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a22503a60c7000931168a1b0ad08df', '{"address": "En4_9MdoWck1Oz-fpdtJew", "attempt": 1, "challenge": "01a22503-a38a-7000-85f0-9c2e0a464419"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-9b18-7000-ac35-0492eb8ff9ee', '2026-11-29 01:55:23.032191+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a225039b137000a6714d58e597ff45', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 2, "challenge": "01a22503-9905-7000-bdde-f54f821865b4"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-9b31-7002-b773-cfb2716fe679', '2026-11-29 01:55:23.057407+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a225039b297000a2b82929acc3eba9', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "challenge": "01a22503-9b31-7000-8277-33170a4eba53"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-9d61-7000-ba05-d2cfa53f9da4', '2026-11-29 01:55:23.617975+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a225039d517000aaf9a1bbf97f98a2', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 1, "challenge": "01a22503-9b31-7000-8277-33170a4eba53"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-a648-7002-9f5c-39052eaca694', '2026-11-29 01:55:25.896564+00', 'EMAIL_CHANGE_REQUESTED', '01a22503-8018-7000-a98b-84bf33afcd42', '01a22503-8018-7000-a98b-84bf33afcd42', '127.0.0.1', 'Python-urllib/3.11', '01a22503a6427000b489e30f85caaa50', '{"address": "qNpUPLq8GlxeQunCC0kiVA", "challenge": "01a22503-a648-7000-b275-cf6be465d468"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-9d8a-7000-a91b-22a1c0a06152', '2026-11-29 01:55:23.658367+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a225039d847000846904dc0e5c83ec', '{"address": "3V-IgWVQcvpDTp10BbzF8w", "attempt": 3, "challenge": "01a22503-9b31-7000-8277-33170a4eba53"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-9fc6-7002-b725-bcd67cca5b66', '2026-11-29 01:55:24.230953+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a225039fbc700087bb9260474ed32b', '{"address": "Zhc_M_SZ3mo4Kqh4uoEEog", "challenge": "01a22503-9fc6-7000-ab35-f7bbd5120f65"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-9fdd-7002-a956-d7817b2d667f', '2026-11-29 01:55:24.253691+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a225039fd670008f60778ace423a23', '{"address": "Zhc_M_SZ3mo4Kqh4uoEEog", "challenge": "01a22503-9fdd-7000-b568-3cfe121ceb14"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-9ff3-7002-999b-096c6725318d', '2026-11-29 01:55:24.275302+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a225039fea70009d1a5a12631da9c8', '{"address": "Zhc_M_SZ3mo4Kqh4uoEEog", "challenge": "01a22503-9ff3-7000-ab50-3cee3ef39a76"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-9ffd-7002-a512-e78b5df33831', '2026-11-29 01:55:24.285728+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a225039ffa700084b7050b08253e63', '{"address": "Zhc_M_SZ3mo4Kqh4uoEEog", "challenge": "01a22503-9ffd-7000-b5a0-57ae5775b603"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-a02b-7002-8ac8-02ad926e1895', '2026-11-29 01:55:24.331755+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a22503a01b70009879569d90371b39', '{"address": "Zhc_M_SZ3mo4Kqh4uoEEog", "challenge": "01a22503-a02b-7000-89ab-e249b8955263"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-a05e-7002-81d2-4b8c64a3d6ee', '2026-11-29 01:55:24.382036+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a22503a0517000976302ff64613c58', '{"address": "Zhc_M_SZ3mo4Kqh4uoEEog", "challenge": "01a22503-a05e-7000-a025-b01e23f810fb"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-a06b-7002-bf87-5cedb820541e', '2026-11-29 01:55:24.395084+00', 'CODE_REQUESTED', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a22503a0657000baccd0225989be72', '{"address": "Zhc_M_SZ3mo4Kqh4uoEEog", "challenge": "01a22503-a06b-7000-b31a-1eb56a5287bc"}', 1, NULL);
INSERT INTO public.audit_events VALUES ('01a22503-a632-7000-9289-ba06f80110d6', '2026-11-29 01:55:25.87458+00', 'WRONG_CODE', NULL, NULL, '127.0.0.1', 'Python-urllib/3.11', '01a22503a618700097e16af95611103c', '{"address": "En4_9MdoWck1Oz-fpdtJew", "attempt": 2, "challenge": "01a22503-a38a-7000-85f0-9c2e0a464419"}', 1, NULL);
INSERT INTO public.devices VALUES ('01a22503-8018-7001-bd6e-3451760955b3', '01a22503-8018-7000-a98b-84bf33afcd42', '\x69b6852ac328bfa20475e1ec73c6739046f5a7e2477ac15c4cf3bd0cbd99429b', '2026-11-29 01:55:16.120452+00', '2026-11-29 01:55:16.120452+00', '2027-05-28 01:55:16.120452+00', 'Python-urllib/3.11', '127.0.0.1');
INSERT INTO public.devices VALUES ('01a22503-8244-7001-b076-c75bdaec7890', '01a22503-8018-7000-a98b-84bf33afcd42', '\x356fcf8ed74093d8d6ff64a684c023066bfaf05ca1505bc3dcc2827318e76662', '2026-11-29 01:55:16.676991+00', '2026-11-29 01:55:16.676991+00', '2027-05-28 01:55:16.676991+00', 'Python-urllib/3.11', '127.0.0.1');
INSERT INTO public.devices VALUES ('01a22503-846b-7001-bdf7-93613e793e50', '01a22503-8018-7000-a98b-84bf33afcd42', '\xacd4189afc8b21eeaf469d4ce0bbff5205cd964c7c188e754051f715da67d919', '2026-11-29 01:55:17.227763+00', '2026-11-29 01:55:17.227763+00', '2027-05-28 01:55:17.227763+00', 'Python-urllib/3.11', '127.0.0.1');
INSERT INTO public.devices VALUES ('01a22503-870c-7001-83bc-8eef5cb01041', '01a22503-870c-7000-8411-edbaab81b77a', '\x5d35ab0984a792eb04099bc978ef479080c5458abde57a606c89503f81393176', '2026-11-29 01:55:17.900468+00', '2026-11-29 01:55:17.900468+00', '2027-05-28 01:55:17.900468+00', 'Python-urllib/3.11', '127.0.0.1');
INSERT INTO public.devices VALUES ('01a22503-8ebb-7001-bca8-dc341c82f24d', '01a22503-8ebb-7000-a314-ffd122f13efa', '\xa88ba36b42ec3f3da3305fc31cce610c65aa2a3520d1967bc189fe3c45532a8a', '2026-11-29 01:55:19.867312+00', '2026-11-29 01:55:19.867312+00', '2027-05-28 01:55:19.867312+00', 'Python-urllib/3.11', '127.0.0.1');
INSERT INTO public.email_changes VALUES ('01a22503-8a08-7001-bd90-3c1a5ea0d746', '01a22503-870c-7000-8411-edbaab81b77a', 'carl@example.com', 'carl.new@example.com', '\x7415e194bd40de002b332e8698f2ab6d2ccf3be055d76b8f3209564012a57330', '2026-11-29 01:55:18.664014+00', '2026-12-06 01:55:18.664014+00', NULL);
INSERT INTO public.email_codes VALUES ('01a22503-7ddf-7000-959f-8677a90b4db5', '\xd7c5a20cf6d91bdeddb5237794bbe6ac957d61c3fba9c0c20bf29c129ef027ea', 'sign_in', '\x127e3ff4c76859c9353b3f9fa5db497b30f57912a9a39c35bf3e32098c89657a', '\x127e3ff4c76859c9353b3f9fa5db497b30f57912a9a39c35bf3e32098c89657a', 'ada@example.com', NULL, false, '\x8f758583be0a39796222b47f49a6b2cf34f92e7b59373dd8bcfe30aec681e1de', NULL, NULL, '2026-11-29 02:00:15.551039+00', 1, 0, '2026-11-29 01:55:16.120452+00', '2026-11-29 01:55:15.551039+00', '2026-11-29 01:55:16.120452+00', NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a22503-8030-7000-8951-750529459bb7', '\xdf47b1242476a3595eabbca6b94dadd999c07f3eb47a4b362480c387a44c2e5a', 'sign_in', '\x127e3ff4c76859c9353b3f9fa5db497b30f57912a9a39c35bf3e32098c89657a', '\x127e3ff4c76859c9353b3f9fa5db497b30f57912a9a39c35bf3e32098c89657a', 'ada@example.com', NULL, false, '\x939bd2ad0972930930ea023748665fa374d4276dca476565cfb26160458e0a38', NULL, NULL, '2026-11-29 02:00:16.144944+00', 1, 0, '2026-11-29 01:55:16.676991+00', '2026-11-29 01:55:16.144944+00', '2026-11-29 01:55:16.676991+00', NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a22503-8257-7000-ab02-d366d66174ed', '\xf6047f15adcdc3349716ea95b5a38585ba136b21449c4b51077155640fc0ddaa', 'sign_in', '\x127e3ff4c76859c9353b3f9fa5db497b30f57912a9a39c35bf3e32098c89657a', '\x127e3ff4c76859c9353b3f9fa5db497b30f57912a9a39c35bf3e32098c89657a', 'ada@example.com', NULL, false, '\xc7fac85ed9b46a47bd4ad1defdeec3499bd636d0aad9fbe661a0d570670d13d7', NULL, NULL, '2026-11-29 02:00:16.695441+00', 1, 0, '2026-11-29 01:55:17.227763+00', '2026-11-29 01:55:16.695441+00', '2026-11-29 01:55:17.227763+00', NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a22503-84ea-7000-bf80-4e405a9e16bb', '\xbf9ac5308a1ff225bef147dd1581da0c16bfa0b0d1ba0078aec622d017d6d476', 'sign_in', '\x484adaef4416fa3446d8adc5dd84e706d5fd9d660af264f02f5412eac6fa5437', '\x484adaef4416fa3446d8adc5dd84e706d5fd9d660af264f02f5412eac6fa5437', 'carl@example.com', NULL, false, '\xeed133781e1030bffc7a0984e6b66b62cfb8ab260955302e963e72530516cdfc', NULL, NULL, '2026-11-29 02:00:17.354028+00', 1, 0, '2026-11-29 01:55:17.900468+00', '2026-11-29 01:55:17.354028+00', '2026-11-29 01:55:17.900468+00', NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a22503-8783-7000-8290-246e4b5bb3c8', '\x43a6ec5fa48db0b56b04a327ea23dc2c8acaafece9529f5d661dc13de3ccfaaa', 'change_email', '\x8c769f3cd868077898528d73b8e59c90ec973374683708ed072d921bf0827fa0', '\x8c769f3cd868077898528d73b8e59c90ec973374683708ed072d921bf0827fa0', 'carl.new@example.com', NULL, false, '\x9515a183a5efc5a90f7d425d035386f64e2ce195b3e3bc1c8d0ddcd82e05e4cb', NULL, NULL, '2026-11-29 02:00:18.01939+00', 1, 0, '2026-11-29 01:55:18.664014+00', '2026-11-29 01:55:18.01939+00', '2026-11-29 01:55:18.664014+00', '01a22503-870c-7000-8411-edbaab81b77a', NULL);
INSERT INTO public.email_codes VALUES ('01a22503-8c94-7000-aef9-6850a23f55f9', '\xa530ca012b446b321eef11b5f97aba43bba5afa5421af5c5a22293db05fbca93', 'sign_in', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', 'bob@example.com', NULL, false, '\x34e11a041c266515e7859bc3c21e9369d3f567f71c67052aa4d3cd5fa81a15b1', NULL, NULL, '2026-11-29 02:00:19.316661+00', 1, 0, '2026-11-29 01:55:19.867312+00', '2026-11-29 01:55:19.316661+00', '2026-11-29 01:55:19.867312+00', NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a22503-8ec7-7000-9f3a-93be49aa9a93', '\x51e0cbd60b279e9a9112f56b1be051b6ea66a7661ff78b7d3767456aa37b049e', 'sign_in', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', 'bob@example.com', NULL, false, '\xd81c088ffaf2ed2929dfde2cf7f0ce6666c051ef298f34f0fac40c56870bc848', NULL, NULL, '2026-11-29 02:00:19.879903+00', 3, 3, '2026-11-29 01:55:20.411789+00', '2026-11-29 01:55:19.879903+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a22503-90e3-7000-940c-2699c30b1443', '\xcb759ea53e26b2795addd43b4b46462cb90b090133e35e759f40f24ae0b7d11e', 'sign_in', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', 'bob@example.com', NULL, false, '\xdbc663c2cb9244deec561583da07bf5df4e1fb2549e1d28be27db02452507b48', NULL, NULL, '2026-11-29 02:00:20.419494+00', 3, 3, '2026-11-29 01:55:20.965112+00', '2026-11-29 01:55:20.419494+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a22503-930b-7000-abae-2ec6ff27638c', '\xe7d519851123e4249c20bb79967cc9f9b5384a8e61564d1d9971a0660a565202', 'sign_in', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', 'bob@example.com', NULL, false, '\x3b08e0280abb67ddef4b241dd5fa524019ae1ef847af2021894e5ce7b3223aa4', NULL, NULL, '2026-11-29 02:00:20.971964+00', 3, 3, '2026-11-29 01:55:21.629848+00', '2026-11-29 01:55:20.971964+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a22503-95e8-7000-8bc0-5156ffc6f0a1', '\xce03cebf7cff66ec9b0706c57beabd43dde214c6a83e76054936700186423b1a', 'sign_in', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', 'bob@example.com', NULL, false, '\x6fcf5002242687523714961379f5a9964d33878cf5419d12db0437a62ca2086f', NULL, NULL, '2026-11-29 02:00:21.704746+00', 3, 3, '2026-11-29 01:55:22.490553+00', '2026-11-29 01:55:21.704746+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a22503-9905-7000-bdde-f54f821865b4', '\x0057d54aa75139ac0ea519d9e39d8ec9b15887ccee6ba814b6667820c14f9286', 'sign_in', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', 'bob@example.com', NULL, false, '\xaf30509ac8307318fbdd082f58e178058c95923ad2228d865fd449691e5d3837', NULL, NULL, '2026-11-29 02:00:22.501256+00', 3, 3, '2026-11-29 01:55:23.04195+00', '2026-11-29 01:55:22.501256+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a22503-9b31-7000-8277-33170a4eba53', '\x2ed4e2ac6c72edc74a9f651552cc6520374d7b09fca56c68df9b67f32e414e22', 'sign_in', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', 'bob@example.com', NULL, false, '\xd7270506e5e55d9e80b8b023cdbd1e54b37da37130c986afd0d56e49fb0e91f9', NULL, NULL, '2026-11-29 02:00:23.057407+00', 3, 3, '2026-11-29 01:55:23.658367+00', '2026-11-29 01:55:23.057407+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a22503-9d9f-7000-b38a-a8999dc8f717', '\x8914ccb61c50428e947344f07e2ccd3f1e62012e38aa0869aa8c97c8304baa47', 'sign_in', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', '\xdd5f8881655072fa434e9d7405bcc5f34bdc512e77b0fe3dfab7a99cdb5ed33c', 'bob@example.com', NULL, false, '\xba24a6fae9591af48148a5ecf2ea024d3c56e8718b0bfd54d43d420c00f330ce', NULL, NULL, '2026-11-29 02:00:23.679754+00', 1, 1, '2026-11-29 01:55:24.205574+00', '2026-11-29 01:55:23.679754+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a22503-9fc6-7000-ab35-f7bbd5120f65', '\x6da36219d7860bb8894bd730353816de1f4d331e9cbca21abafa784607669a83', 'sign_in', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', 'link@example.com', NULL, false, '\x284538740fea7ac688df5bc3b89aa81325986c4bdcad1ea2b0f720d6603b4a99', NULL, NULL, '2026-11-29 02:00:24.230953+00', 0, 0, NULL, '2026-11-29 01:55:24.230953+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a22503-9fdd-7000-b568-3cfe121ceb14', '\xdc53a7cba368fe839dd7401dfef96d4278c5c3646a3560d2f034740341a38bf2', 'sign_in', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', 'link@example.com', NULL, false, '\x22e0bd9dec9c0b9d8f9a8cc157adbf25cfacb2348cea436905515578aa59edf7', NULL, NULL, '2026-11-29 02:00:24.253691+00', 0, 0, NULL, '2026-11-29 01:55:24.253691+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a22503-9ff3-7000-ab50-3cee3ef39a76', '\x58ad90248021f36641b80174a93baecbac8b064dc6a633f06988f83e5e3e5469', 'sign_in', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', 'link@example.com', NULL, false, '\x3a01d59d0883a58fe11b1c1a9eba58f0020ce04b97548f0df6f5aad969d19e72', NULL, NULL, '2026-11-29 02:00:24.275302+00', 0, 0, NULL, '2026-11-29 01:55:24.275302+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a22503-9ffd-7000-b5a0-57ae5775b603', '\xd632ed0ccd90a92208be2b2f15e76f50bab0cc90ca3f5c0b2b0402eb747db9fe', 'sign_in', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', 'link@example.com', NULL, false, '\xa535cc712bc1d67aab8aa60649878d7c7702bb4f3776054c49bfe0acbb845cb3', NULL, NULL, '2026-11-29 02:00:24.285728+00', 0, 0, NULL, '2026-11-29 01:55:24.285728+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a22503-a02b-7000-89ab-e249b8955263', '\x03ed2348349566a96553f1b880096b4a0783f75f94536ba04f22e38ccdca06bf', 'sign_in', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', 'link@example.com', NULL, false, '\x3949493be3a89dd8e5b2593c48d86b4df80aa76acddfe4ef8b032420b9b9bca4', NULL, NULL, '2026-11-29 02:00:24.331755+00', 0, 0, NULL, '2026-11-29 01:55:24.331755+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a22503-a05e-7000-a025-b01e23f810fb', '\x83ca999fcaeb8b4b8b3c99da92a79451cc6afa853dcf3ebad25747f4aeaee85b', 'sign_in', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', 'link@example.com', NULL, false, '\xaa2b07070b5827b44b15b41aaab0ee1f59652d16de26922ce737f623732171aa', NULL, NULL, '2026-11-29 02:00:24.382036+00', 0, 0, NULL, '2026-11-29 01:55:24.382036+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a22503-a06b-7000-b31a-1eb56a5287bc', '\xf0d4f51e197b8be2d417bb4b063aa7e4b04c196e468f1bb9bb0f14f348b5263e', 'sign_in', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', 'link@example.com', NULL, false, '\x2cded88d136f51cd34b69a1e1516934032b46323ce60997f1d09b8e416d38b45', NULL, NULL, '2026-11-29 02:00:24.395084+00', 0, 0, NULL, '2026-11-29 01:55:24.395084+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a22503-a084-7000-bd74-edfb507473eb', '\xf91429e45722047d91bea4b5f4a3372d15adb72702855a27c015558089c378be', 'sign_in', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', 'link@example.com', NULL, false, '\x1f1a22592c5e53cd68606d469389e441c59393e4cd05d904a591e4f445f429f5', NULL, NULL, '2026-11-29 02:00:24.420075+00', 0, 0, NULL, '2026-11-29 01:55:24.420075+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a22503-a09e-7000-977f-87f9bbe07e74', '\xca30d19d70daf44586bd6885f81d32eee99bebd3d956f119bd3a308840e285a9', 'sign_in', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', 'link@example.com', NULL, false, '\x295fec749465369cfac6acfe1aef14f3a72069d251fa782c10e6ec85d01d0e93', NULL, NULL, '2026-11-29 02:00:24.446895+00', 0, 0, NULL, '2026-11-29 01:55:24.446895+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a22503-a0ba-7000-974f-c8931aa67049', '\x3d9eacb17927a872eb5903930d4867e1da60b6343328d219c3102c65b1caad2c', 'sign_in', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', 'link@example.com', NULL, false, '\x639c85e3ce2650e127844bec47d4864d879d99ae2a2b9dacbb71fecfd7274dbc', NULL, NULL, '2026-11-29 02:00:24.474808+00', 0, 0, NULL, '2026-11-29 01:55:24.474808+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a22503-a648-7000-b275-cf6be465d468', '\xb031e2e3fdd38a7cf1ce80fda27a3c40bf58874ce357eb7f181c0254a61dd1c0', 'change_email', '\xa8da543cbabc1a5c5e42e9c20b492254db49fbc31da238e400d2c4919ba01f73', '\xa8da543cbabc1a5c5e42e9c20b492254db49fbc31da238e400d2c4919ba01f73', 'ada.new@example.com', NULL, false, '\x61370db5977ab1b292dd375e339e70c29b820d6621d67ae888d5dd608a56ac29', NULL, NULL, '2026-11-29 02:00:25.896564+00', 0, 0, NULL, '2026-11-29 01:55:25.896564+00', NULL, '01a22503-8018-7000-a98b-84bf33afcd42', NULL);
INSERT INTO public.email_codes VALUES ('01a22503-a0d4-7000-9379-baf1c943beca', '\xb0b462904ed0dbbff1ae6663030c7ad8c38b09c2be811e920f39365032d43fcf', 'sign_in', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', 'link@example.com', NULL, false, '\x96bb339f28f5bf075b15570d9d20c1b4517712bd4245c90beb596ce136e940c1', NULL, NULL, '2026-11-29 02:00:24.500991+00', 0, 0, NULL, '2026-11-29 01:55:24.500991+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a22503-a101-7001-9d8f-5fed75272b01', '\x3905c8dd964e72b5757a1d1f09fb0ab0e3ad634bb59150e0d5d0be979d1f731b', 'sign_in', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', 'link@example.com', NULL, false, '\xf26df80357a24ce5d7ec1ed8b2bb6ddf232891f090a1a1c0b196c67ad47c0c6c', NULL, NULL, '2026-11-29 02:00:24.545237+00', 0, 0, NULL, '2026-11-29 01:55:24.545237+00', NULL, NULL, NULL);
INSERT INTO public.email_codes VALUES ('01a22503-a38a-7000-85f0-9c2e0a464419', '\x72b8ba9cf3f73b9aed1006d2fe3dd1f00e60eff0eb2399027d817ef6f153951d', 'sign_in', '\x127e3ff4c76859c9353b3f9fa5db497b30f57912a9a39c35bf3e32098c89657a', '\x4f9a1b3ab1c6ba46eed3b642b93b3c58b0cad9405b49bfd62c236fd68001b023', 'ada@example.com', '01a22503-8018-7001-bd6e-3451760955b3', false, '\x73cc30f6ff9977a832309d2fbb36e5250a07c5c4a6db94d2ea4f8e3a15754d3c', NULL, NULL, '2026-11-29 02:00:25.194542+00', 2, 2, '2026-11-29 01:55:25.87458+00', '2026-11-29 01:55:25.194542+00', NULL, NULL, NULL);
INSERT INTO public.outbox VALUES ('01a22503-930b-7001-be4e-f24759ccf861', 'code', 'SENT', NULL, 1, '2026-11-29 01:55:20.971964+00', '2026-11-29 01:55:20.971964+00', NULL, '2026-11-29 02:00:20.971964+00', '2026-11-29 01:55:21.004149+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-7ddf-7001-a6f9-71ca2a6d9293', 'code', 'SENT', NULL, 1, '2026-11-29 01:55:15.551039+00', '2026-11-29 01:55:15.551039+00', NULL, '2026-11-29 02:00:15.551039+00', '2026-11-29 01:55:15.608988+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-8030-7001-84e8-f008f1d8d5b2', 'code', 'SENT', NULL, 1, '2026-11-29 01:55:16.144944+00', '2026-11-29 01:55:16.144944+00', NULL, '2026-11-29 02:00:16.144944+00', '2026-11-29 01:55:16.16311+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-a05e-7001-9ff8-04843c5ec141', 'code', 'SENT', NULL, 1, '2026-11-29 01:55:24.382036+00', '2026-11-29 01:55:24.382036+00', NULL, '2026-11-29 02:00:24.382036+00', '2026-11-29 01:55:24.389136+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-95e8-7001-b4dd-75e2300a0915', 'code', 'SENT', NULL, 1, '2026-11-29 01:55:21.704746+00', '2026-11-29 01:55:21.704746+00', NULL, '2026-11-29 02:00:21.704746+00', '2026-11-29 01:55:21.840474+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-8244-7004-a889-16ab82165ed1', 'new-device', 'SENT', NULL, 1, '2026-11-29 01:55:16.676991+00', '2026-11-29 01:55:16.676991+00', NULL, '2026-12-01 01:55:16.676991+00', '2026-11-29 01:55:16.701819+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-8257-7001-8cbc-bd74bf99ffd3', 'code', 'SENT', NULL, 1, '2026-11-29 01:55:16.695441+00', '2026-11-29 01:55:16.695441+00', NULL, '2026-11-29 02:00:16.695441+00', '2026-11-29 01:55:16.702835+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-a648-7001-9e21-8cf69ee6d3f5', 'email-code', 'SENT', NULL, 1, '2026-11-29 01:55:25.896564+00', '2026-11-29 01:55:25.896564+00', NULL, '2026-11-29 02:00:25.896564+00', '2026-11-29 01:55:25.904961+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-84ea-7001-9ede-c66ba6b39984', 'code', 'SENT', NULL, 1, '2026-11-29 01:55:17.354028+00', '2026-11-29 01:55:17.354028+00', NULL, '2026-11-29 02:00:17.354028+00', '2026-11-29 01:55:17.37334+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-846b-7004-b51c-c5162045caed', 'new-device', 'SENT', NULL, 1, '2026-11-29 01:55:17.227763+00', '2026-11-29 01:55:17.227763+00', NULL, '2026-12-01 01:55:17.227763+00', '2026-11-29 01:55:17.37643+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-9905-7001-8620-afeb70094699', 'code', 'SENT', NULL, 1, '2026-11-29 01:55:22.501256+00', '2026-11-29 01:55:22.501256+00', NULL, '2026-11-29 02:00:22.501256+00', '2026-11-29 01:55:22.510772+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-8783-7001-9cb3-bfd4c5b9f447', 'email-code', 'SENT', NULL, 1, '2026-11-29 01:55:18.01939+00', '2026-11-29 01:55:18.01939+00', NULL, '2026-11-29 02:00:18.01939+00', '2026-11-29 01:55:18.22261+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-8a08-7002-bf84-464c38c1c905', 'email-changed', 'SENT', NULL, 1, '2026-11-29 01:55:18.664014+00', '2026-11-29 01:55:18.664014+00', NULL, '2026-12-06 01:55:18.664014+00', '2026-11-29 01:55:18.790934+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-a06b-7001-a2d1-337f6a957e32', 'code', 'SENT', NULL, 1, '2026-11-29 01:55:24.395084+00', '2026-11-29 01:55:24.395084+00', NULL, '2026-11-29 02:00:24.395084+00', '2026-11-29 01:55:24.406838+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-8c94-7001-9ec1-646c668c92dd', 'code', 'SENT', NULL, 1, '2026-11-29 01:55:19.316661+00', '2026-11-29 01:55:19.316661+00', NULL, '2026-11-29 02:00:19.316661+00', '2026-11-29 01:55:19.330625+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-9b31-7001-bacf-e3e0586daa99', 'code', 'SENT', NULL, 1, '2026-11-29 01:55:23.057407+00', '2026-11-29 01:55:23.057407+00', NULL, '2026-11-29 02:00:23.057407+00', '2026-11-29 01:55:23.069032+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-8ec7-7001-b0c4-ef49ff67beb1', 'code', 'SENT', NULL, 1, '2026-11-29 01:55:19.879903+00', '2026-11-29 01:55:19.879903+00', NULL, '2026-11-29 02:00:19.879903+00', '2026-11-29 01:55:19.888549+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-90e3-7001-beff-133ad19fbb5f', 'code', 'SENT', NULL, 1, '2026-11-29 01:55:20.419494+00', '2026-11-29 01:55:20.419494+00', NULL, '2026-11-29 02:00:20.419494+00', '2026-11-29 01:55:20.427268+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-9d9f-7001-bf25-4880bbd6ff5f', 'code', 'SENT', NULL, 1, '2026-11-29 01:55:23.679754+00', '2026-11-29 01:55:23.679754+00', NULL, '2026-11-29 02:00:23.679754+00', '2026-11-29 01:55:23.687684+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-a084-7001-a563-918f9ccc913d', 'code', 'SENT', NULL, 1, '2026-11-29 01:55:24.420075+00', '2026-11-29 01:55:24.420075+00', NULL, '2026-11-29 02:00:24.420075+00', '2026-11-29 01:55:24.425424+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-9fc6-7001-94ca-8410de97a040', 'code', 'SENT', NULL, 1, '2026-11-29 01:55:24.230953+00', '2026-11-29 01:55:24.230953+00', NULL, '2026-11-29 02:00:24.230953+00', '2026-11-29 01:55:24.24432+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-9fdd-7001-a3e9-661f5a1ffb01', 'code', 'SENT', NULL, 1, '2026-11-29 01:55:24.253691+00', '2026-11-29 01:55:24.253691+00', NULL, '2026-11-29 02:00:24.253691+00', '2026-11-29 01:55:24.263777+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-9ff3-7001-9b54-37fdd00503f1', 'code', 'SENT', NULL, 1, '2026-11-29 01:55:24.275302+00', '2026-11-29 01:55:24.275302+00', NULL, '2026-11-29 02:00:24.275302+00', '2026-11-29 01:55:24.281715+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-a09e-7001-8ac9-6640c7504259', 'code', 'SENT', NULL, 1, '2026-11-29 01:55:24.446895+00', '2026-11-29 01:55:24.446895+00', NULL, '2026-11-29 02:00:24.446895+00', '2026-11-29 01:55:24.463761+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-9ffd-7001-a844-097cff50d6e0', 'code', 'SENT', NULL, 1, '2026-11-29 01:55:24.285728+00', '2026-11-29 01:55:24.285728+00', NULL, '2026-11-29 02:00:24.285728+00', '2026-11-29 01:55:24.292378+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-a02b-7001-8ef6-3f3ece40f7e9', 'code', 'SENT', NULL, 1, '2026-11-29 01:55:24.331755+00', '2026-11-29 01:55:24.331755+00', NULL, '2026-11-29 02:00:24.331755+00', '2026-11-29 01:55:24.365226+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-a0ba-7001-8e91-55b6ab977454', 'code', 'SENT', NULL, 1, '2026-11-29 01:55:24.474808+00', '2026-11-29 01:55:24.474808+00', NULL, '2026-11-29 02:00:24.474808+00', '2026-11-29 01:55:24.487851+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-a0d4-7001-8325-bf1d2bc14af0', 'code', 'SENT', NULL, 1, '2026-11-29 01:55:24.500991+00', '2026-11-29 01:55:24.500991+00', NULL, '2026-11-29 02:00:24.500991+00', '2026-11-29 01:55:24.518475+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-a101-7002-bb07-2a568a3afa16', 'link', 'SENT', NULL, 1, '2026-11-29 01:55:24.545237+00', '2026-11-29 01:55:24.545237+00', NULL, '2026-11-30 01:55:24.545237+00', '2026-11-29 01:55:24.610658+00', NULL);
INSERT INTO public.outbox VALUES ('01a22503-a38a-7001-8ef4-f8550917e20b', 'code', 'SENT', NULL, 1, '2026-11-29 01:55:25.194542+00', '2026-11-29 01:55:25.194542+00', NULL, '2026-11-29 02:00:25.194542+00', '2026-11-29 01:55:25.28802+00', NULL);
INSERT INTO public.seaql_migrations VALUES ('m20261121_000001_people', 1795917314);
INSERT INTO public.seaql_migrations VALUES ('m20261121_000002_codes', 1795917314);
INSERT INTO public.seaql_migrations VALUES ('m20261121_000003_mail', 1795917315);
INSERT INTO public.seaql_migrations VALUES ('m20261121_000004_audit', 1795917315);
INSERT INTO public.seaql_migrations VALUES ('m20261121_000005_keys', 1795917315);
INSERT INTO public.seaql_migrations VALUES ('m20261121_000006_people_management', 1795917315);
INSERT INTO public.seaql_migrations VALUES ('m20261121_000007_purge', 1795917315);
INSERT INTO public.seaql_migrations VALUES ('m20261128_000008_limits', 1795917315);
INSERT INTO public.seaql_migrations VALUES ('m20261128_000009_labels', 1795917315);
INSERT INTO public.sessions VALUES ('01a22503-8018-7002-afee-022b3ab0e6ef', '01a22503-8018-7000-a98b-84bf33afcd42', '01a22503-8018-7001-bd6e-3451760955b3', '01a22503-7ddf-7000-959f-8677a90b4db5', 'otp', '2026-11-29 01:55:16.120452+00', '2026-11-29 01:55:16.120452+00', '2026-12-06 01:55:16.120452+00', '2026-12-29 01:55:16.120452+00', NULL, NULL, 'Python-urllib/3.11', '127.0.0.1', '\x36fcda96f3fd5ee7c0bfa59398e573a6c6df34440ab71b301f3f06b334d183da', NULL, NULL, NULL);
INSERT INTO public.sessions VALUES ('01a22503-8244-7002-9df8-85813fdad403', '01a22503-8018-7000-a98b-84bf33afcd42', '01a22503-8244-7001-b076-c75bdaec7890', '01a22503-8030-7000-8951-750529459bb7', 'otp', '2026-11-29 01:55:16.676991+00', '2026-11-29 01:55:16.689887+00', '2026-12-06 01:55:16.689887+00', '2026-12-29 01:55:16.676991+00', NULL, NULL, 'Python-urllib/3.11', '127.0.0.1', '\xabe0ef9ccc6b1aa0db1a11328a2b9ba9caf66daebdc95aac9a3c062cceea8763', '\x3bf7ee96bf1b3a4191c9aeed23c9ca6082bc1e79a54f4bbe640547c7a9747499', '2026-11-29 01:55:16.689887+00', '\x3e3ac84b63b5437cc2f7e04850b60c5b5cd6dd8033b5d870264c6f36b9481d8aa8c7c80b881f52d3fc5f6b63e9ad7c466e143bdb04cf60e81d8f44cb13efde48939c73ea0df03f27ad17031dbf5b7873f777865ee1b40a82bb3f00da');
INSERT INTO public.sessions VALUES ('01a22503-846b-7002-826d-a607a8496b84', '01a22503-8018-7000-a98b-84bf33afcd42', '01a22503-846b-7001-bdf7-93613e793e50', '01a22503-8257-7000-ab02-d366d66174ed', 'otp', '2026-11-29 01:55:17.227763+00', '2026-11-29 01:55:17.227763+00', '2026-12-06 01:55:17.227763+00', '2026-12-29 01:55:17.227763+00', '2026-11-29 01:55:17.256608+00', 'SIGNED_OUT', 'Python-urllib/3.11', '127.0.0.1', '\xcfe9d9c9864a0b8c3cc63fdf44d9af01c026091d19ddd159d950fdfaab7689f7', NULL, NULL, NULL);
INSERT INTO public.sessions VALUES ('01a22503-870c-7002-9de7-a7154419aa67', '01a22503-870c-7000-8411-edbaab81b77a', '01a22503-870c-7001-83bc-8eef5cb01041', '01a22503-84ea-7000-bf80-4e405a9e16bb', 'otp', '2026-11-29 01:55:17.900468+00', '2026-11-29 01:55:17.900468+00', '2026-12-06 01:55:17.900468+00', '2026-12-29 01:55:17.900468+00', NULL, NULL, 'Python-urllib/3.11', '127.0.0.1', '\x7003d80cecde6c93422eb069098afe6f3185651b448bd678b66f3d7a290a1510', NULL, NULL, NULL);
INSERT INTO public.sessions VALUES ('01a22503-8ebb-7002-841f-86937b360ba6', '01a22503-8ebb-7000-a314-ffd122f13efa', '01a22503-8ebb-7001-bca8-dc341c82f24d', '01a22503-8c94-7000-aef9-6850a23f55f9', 'otp', '2026-11-29 01:55:19.867312+00', '2026-11-29 01:55:19.867312+00', '2026-12-06 01:55:19.867312+00', '2026-12-29 01:55:19.867312+00', NULL, NULL, 'Python-urllib/3.11', '127.0.0.1', '\x8c1f190f240754ea12ca30432103014ae09bcd45435ed6e8a2325c44e3d170db', NULL, NULL, NULL);
INSERT INTO public.sign_in_links VALUES ('01a22503-a101-7000-a5e7-ec78b4446658', '\x66173f33f499de6a382aa878ba8104a2c2a94ed2535892c08081a5a92e02c021', 'link@example.com', '\xb8e87fa93133130d961bf21befad557289dca83f856485366923cdd8826f1666', '\x5aa5524bfd67cf40e1d20efe26dbc5e68a5dc749d336431e0fb4b4f6f0f4bb27211256b28226ae87536abc27041527800f9b7dd32381eee29720c37b', '2026-11-29 01:55:24.545237+00', '2026-11-30 01:55:24.545237+00', NULL, true);
INSERT INTO public.signing_keys VALUES ('01a22503-7cd7-7000-92d7-5995149bc67a', 'EdDSA', '\x9146318fcdab43d03d786cd8dfb18e5d4f2fc173bf5a9b94ef0859b126fd6124be05a68e2a076160caeb1649f200a981401c6c4250580468dbcc3ebcdcd44a8532726092e94762f849c5bde88811deb9a936a108159f420ab6cb6ada9216a5bf75a75cd8fc9144cb8e41121ea019f4', '{"x": "xJoHTJjcCOyqejF5QvfPzyJfEIi_p3zjJr6UBtE8T8M", "alg": "EdDSA", "crv": "Ed25519", "kid": "01a22503-7cd7-7000-92d7-5995149bc67a", "kty": "OKP", "use": "sig"}', '2026-11-29 01:55:15.28717+00', '2026-11-29 01:55:15.28717+00', NULL);
INSERT INTO public.users VALUES ('01a22503-8018-7000-a98b-84bf33afcd42', 'ada@example.com', NULL, 'USER', 'ACTIVE', '2026-11-29 01:55:16.120452+00', '2026-11-29 01:55:16.120452+00', '2026-11-29 01:55:17.227763+00', 1, '', NULL, NULL);
INSERT INTO public.users VALUES ('01a22503-870c-7000-8411-edbaab81b77a', 'carl.new@example.com', NULL, 'USER', 'ACTIVE', '2026-11-29 01:55:17.900468+00', '2026-11-29 01:55:18.664014+00', '2026-11-29 01:55:17.900468+00', 2, '', NULL, NULL);
INSERT INTO public.users VALUES ('01a22503-8ebb-7000-a314-ffd122f13efa', 'bob@example.com', NULL, 'USER', 'ACTIVE', '2026-11-29 01:55:19.867312+00', '2026-11-29 01:55:19.867312+00', '2026-11-29 01:55:19.867312+00', 1, '', NULL, NULL);
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
