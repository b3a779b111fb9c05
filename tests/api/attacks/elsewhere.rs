//! What must be survived, attack by attack, and the tests that show it: those of this folder, and those elsewhere that
//! had it already, in process, where a clock can be moved and a database be broken. A test that is named here exists.

use std::{fs, path::Path};

/// An attack, and where it is made: a file under `tests/api` or `src`, without its ending, and a test in it.
const SURVIVED: [(&str, &[(&str, &str)]); 64] = [
    // GraphQL.
    ("a hundred aliased guesses", &[DOCUMENTS, ("contract/documents", "a_hundred_guesses_in_one_document_are_none")]),
    ("arrays of calls", &[BODIES, ("contract/http", "a_body_is_one_json_object_with_a_query")]),
    ("__typename and its aliases by the hundred", &[DOCUMENTS]),
    ("directive floods", &[DOCUMENTS, ("contract/documents", "floods_are_refused_fast_and_count_nothing")]),
    ("introspection in circles", &[DOCUMENTS, ("contract/schema", "introspection_in_circles_is_bounded")]),
    (
        "__schema and __type in production",
        &[
            ("attacks/graphql", "a_production_server_shows_its_schema_by_no_route"),
            ("contract/schema", "introspection_that_is_off_is_off_by_every_route"),
        ],
    ),
    (
        "deep literals, selections, list types",
        &[DOCUMENTS, ("contract/documents", "deep_long_and_unfinished_texts_are_refused_fast_and_count_nothing")],
    ),
    ("fragments that fan out or go in circles", &[DOCUMENTS, CROWD]),
    ("20,000 fragments, variables or operations", &[DOCUMENTS, CROWD]),
    ("an integer of 200,000 digits", &[DOCUMENTS]),
    ("a block string without an end", &[DOCUMENTS]),
    ("deep or duplicate JSON keys", &[BODIES]),
    (
        "content types, methods, overrides, GET",
        &[
            HEADERS,
            ("contract/http", "only_json_in_utf_8_and_uncompressed_is_read"),
            ("contract/http", "every_method_but_post_is_refused_and_told_so_and_none_is_overridden"),
        ],
    ),
    ("field suggestions", &[("contract/documents", "suggestions_are_never_made")]),
    (
        "a forced database error",
        &[
            ("contract/bearer", "a_fault_of_ours_is_internal_and_its_reason_stays_here"),
            ("contract/bearer", "with_the_database_or_the_limiter_away_answers_are_unavailable_and_say_no_more"),
            ("faults", "a_database_that_forgot_its_tables_is_an_internal_error_that_tells_nothing"),
        ],
    ),
    (
        "a panic inside a resolver",
        &[
            ("attacks/faults", "a_panic_in_a_resolver_is_an_answer_that_tells_nothing_and_a_line_in_the_log"),
            ("attacks/faults", "a_panic_in_a_subscription_ends_it_alone"),
        ],
    ),
    (
        "an operation that does not end",
        &[("attacks/faults", "what_never_ends_is_cut_off_in_time_and_what_goes_in_circles_is_bounded")],
    ),
    (
        "a store of documents that grows",
        &[("attacks/graphql", "a_thousand_hashes_of_documents_leave_nothing_in_memory")],
    ),
    ("two operations and a name", &[BODIES]),
    (
        "a code as number, list, null, with blanks",
        &[
            ("attacks/codes", "what_is_no_code_is_never_compared"),
            ("sign_in", "what_is_no_code_is_refused_and_moves_no_counter"),
            ("src/domain/sign_in/email_code", "blanks_and_dashes_in_a_code_are_ignored_and_all_else_is_refused"),
        ],
    ),
    (
        "foreign ids",
        &[
            ("contract/ids", "what_is_somebody_elses_looks_exactly_like_what_never_was"),
            ("contract/ids", "an_id_of_another_type_or_a_forged_one_is_bad_input"),
            ("permissions/reads", "an_id_of_what_is_hidden_gets_the_answer_of_one_that_nobody_has_and_leaves_the_same"),
        ],
    ),
    ("upgrades", &[UPGRADES, ("live/protocol", "a_socket_opens_for_pages_of_ours_and_for_what_is_no_page")]),
    ("multipart/mixed, uploads and compressed bodies", &[HEADERS]),
    (
        "one byte a second",
        &[
            ("slow", "a_body_that_comes_byte_by_byte_gets_408"),
            ("slow", "headers_that_do_not_end_are_cut_off_in_time_however_they_trickle"),
            ("slow", "who_never_reads_the_answers_does_not_keep_the_connection"),
            ("contract/http", "a_body_that_stalls_is_given_up_after_ten_seconds"),
        ],
    ),
    (
        "a body that is announced and never comes",
        &[("attacks/graphql", "a_body_that_is_announced_as_too_large_is_refused_before_it_comes")],
    ),
    ("many attackers at once", &[CROWD]),
    // Codes.
    (
        "64 verifications of the right code at once",
        &[
            ("races", "sixty_four_verifications_of_one_right_code_sign_in_once"),
            ("schema", "of_sixty_four_who_use_a_code_one_wins"),
        ],
    ),
    (
        "64 of wrong codes at once",
        &[
            ("races", "of_sixty_four_wrong_codes_three_are_compared"),
            ("races", "concurrent_guesses_at_many_challenges_never_overdraw_an_accounts_budget"),
        ],
    ),
    (
        "a resend to reset the tries",
        &[("sign_in", "a_resend_keeps_the_code_before_it_good_and_never_resets_the_tries")],
    ),
    (
        "one address guessed from a thousand networks",
        &[
            ("limits", "twenty_wrong_codes_a_day_are_all_that_an_account_gives_whatever_the_networks"),
            ("limits", "a_hundred_wrong_codes_in_thirty_days_are_the_end_of_it"),
        ],
    ),
    (
        "a stranger who burns the limits",
        &[
            ("limits", "while_a_stranger_burns_every_budget_the_owner_signs_in_from_a_known_device"),
            ("limits", "a_spent_budget_mails_a_link_that_works_once_and_only_when_used"),
        ],
    ),
    (
        "tricks with addresses",
        &[
            ("attacks/codes", "what_is_no_address_gets_no_mail_and_counts_nothing"),
            ("sign_in", "what_is_no_address_is_told_and_counts_nothing"),
            ("src/email_address", "nasty_inputs_are_refused"),
            ("src/email_address", "a_domain_in_its_own_script_and_its_ascii_form_are_one_address"),
        ],
    ),
    ("enumeration by answer", &[("sign_in", "addresses_that_may_not_sign_in_get_the_same_answer_and_no_mail")]),
    ("enumeration by time", &[("timing", "time_does_not_tell_whether_an_address_has_an_account")]),
    (
        "enumeration by mail",
        &[
            ("mail", "a_decoy_costs_the_worker_what_a_mail_costs"),
            ("arrival", "where_sign_up_is_closed_the_arrival_of_ones_own_mail_does_not_tell_who_has_an_account"),
            ("arrival", "the_arrival_of_ones_own_mail_does_not_tell_whether_a_new_address_is_taken"),
        ],
    ),
    (
        "mail bombing from many networks",
        &[("limits", "one_address_gets_no_more_than_its_mails_from_however_many_networks")],
    ),
    (
        "the canary code and token",
        &[
            ("canary", "codes_and_tokens_are_in_no_log_no_table_and_no_other_answer"),
            ("canary", "no_way_to_a_code_or_a_token_tells_it_to_a_log_or_a_table"),
        ],
    ),
    ("replay after use", &[("sign_in", "a_code_works_once")]),
    ("replay after logout", &[("tokens", "signing_out_on_one_replica_is_felt_at_once_on_another")]),
    ("replay after a newer code", &[("sign_in", "the_earlier_code_dies_at_its_own_time_after_a_resend")]),
    ("replay for another purpose", &[("people/email_change", "a_code_is_good_for_its_person_and_its_purpose_alone")]),
    ("replay with another handle", &[("sign_in", "a_code_works_only_for_the_browser_that_asked")]),
    ("expiry by a second", &[("sign_in", "a_code_lives_five_minutes_and_not_a_second_longer")]),
    ("clocks that jump", &[("sign_in", "a_clock_that_jumps_back_gives_no_code_a_second_life")]),
    (
        "codes that are not uniform",
        &[("src/domain/sign_in/uniformity_tests", "a_million_codes_are_as_likely_as_each_other")],
    ),
    // Tokens.
    ("bits flipped in every segment", &[TOKENS, ("tokens", "a_token_with_any_bit_flipped_is_refused")]),
    ("no signature", &[TOKENS, ("tokens/forged", "a_token_without_a_signature_is_refused_however_it_spells_that")]),
    ("HS256 under the public key", &[TOKENS, ("tokens/forged", "a_public_key_is_no_shared_secret")]),
    (
        "another key's algorithm, and keys in headers",
        &[TOKENS, ("tokens/forged", "the_algorithm_is_the_keys_and_no_header_brings_a_key")],
    ),
    ("a key id with a path or SQL", &[TOKENS, ("tokens/forged", "a_key_id_names_the_very_key_that_signed")]),
    (
        "claims that are missing, null, or of another type",
        &[
            ("tokens/forged", "every_claim_is_required_and_has_its_type"),
            ("tokens/forged", "times_are_checked_with_five_seconds_of_leeway"),
            ("tokens/forged", "foreign_claims_are_refused"),
        ],
    ),
    ("one kind of token for another", &[TOKENS, ("tokens", "a_token_of_one_kind_is_none_of_another")]),
    (
        "a role lowered in mid-session",
        &[("tokens", "a_changed_role_or_a_suspended_person_is_refused_on_the_next_request_everywhere")],
    ),
    ("logout here, use there", &[("tokens", "signing_out_on_one_replica_is_felt_at_once_on_another")]),
    (
        "fifty tabs that refresh at once",
        &[("races", "fifty_tabs_refreshing_at_once_get_one_successor_and_nobody_is_logged_out")],
    ),
    ("an old refresh token after the grace", &[("sessions", "the_predecessor_after_the_grace_ends_the_session")]),
    ("keys that rotate under load", &[("tokens/rotation", "keys_rotate_under_load_without_one_false_refusal")]),
    // Edge.
    (
        "forged addresses",
        &[
            ("attacks/edge", "a_stranger_is_charged_whoever_their_headers_say_they_are"),
            ("src/http/caller", "a_forwarding_header_from_a_stranger_is_ignored"),
        ],
    ),
    ("header injection", &[("contract/edge", "a_harmless_request_id_is_kept_and_any_other_replaced"), MESSAGES]),
    ("log injection", &[("attacks/log", "nothing_that_a_stranger_writes_forges_a_line_or_moves_a_cursor")]),
    (
        "conflicting lengths and smuggled requests",
        &[MESSAGES, ("attacks/edge", "a_request_hidden_in_another_is_never_executed")],
    ),
    ("paths that lead out", &[("attacks/edge", "targets_that_are_no_path_of_ours_lead_nowhere")]),
    (
        "foreign origins",
        &[UPGRADES, ("contract/edge", "scripts_of_listed_origins_alone_may_read_answers_and_never_with_credentials")],
    ),
    (
        "the headers of every answer",
        &[
            ("contract/edge", "every_answer_carries_its_security_headers_and_nothing_that_tells_what_we_are"),
            ("attacks/faults", "a_panic_in_a_resolver_is_an_answer_that_tells_nothing_and_a_line_in_the_log"),
        ],
    ),
];

const DOCUMENTS: (&str, &str) = ("attacks/graphql", "hostile_documents_are_refused_in_time_and_leave_no_trace");
const BODIES: (&str, &str) = ("attacks/graphql", "bodies_that_are_no_call_are_refused_in_time_and_leave_no_trace");
const HEADERS: (&str, &str) = ("attacks/graphql", "what_is_not_json_by_post_is_refused_in_time_and_leaves_no_trace");
const CROWD: (&str, &str) = ("attacks/crowd", "many_attackers_at_once_take_no_more_memory_and_hold_up_nobody");
const TOKENS: (&str, &str) = ("attacks/tokens", "forged_and_misused_tokens_are_refused_in_time_and_end_nothing");
const MESSAGES: (&str, &str) = ("attacks/edge", "messages_that_could_be_read_in_two_ways_are_refused");
const UPGRADES: (&str, &str) = ("attacks/edge", "upgrades_expectations_and_origins_open_nothing");

#[test]
fn every_attack_has_a_test_that_exists() {
    let missing: Vec<_> = SURVIVED
        .iter()
        .flat_map(|(attack, tests)| tests.iter().map(move |test| (attack, test)))
        .filter(|(_, (file, test))| !exists(file, test))
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(SURVIVED.iter().all(|(_, tests)| !tests.is_empty()));
    assert!(!exists("slow", "a_body_that_comes"), "a part of a name is none");
    assert!(!exists("slow", "head"), "a helper is no test");
    assert!(!exists("attacks/faults", "the_application_that_faults"), "what is left out shows nothing");
}

/// Whether a file, or the one beside it that has its tests, has a function of this name that runs as a test.
fn exists(file: &str, test: &str) -> bool {
    let path = if file.starts_with("src/") { file.to_owned() } else { format!("tests/api/{file}") };
    let files = [format!("{path}.rs"), format!("{path}/tests.rs")];
    let texts =
        files.map(|file| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap_or_default());
    texts.iter().any(|text| is_test(text, test))
}

fn is_test(text: &str, test: &str) -> bool {
    let Some(at) = text.find(&format!("fn {test}(")) else { return false };
    let before = text[..at].rsplit_once("\n\n").map_or(&text[..at], |(_, attributes)| attributes);
    (before.contains("#[test]") || before.contains("#[tokio::test")) && !before.contains("#[ignore")
}
