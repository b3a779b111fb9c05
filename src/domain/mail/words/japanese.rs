//! What all mails in Japanese share, in the polite form.

use super::Words;
use crate::db::entity::Role;

pub(super) static WORDS: Words = Words {
    copy: "コピー用：",
    open_page: "ログインページを開く",
    restore_address: "このメールアドレスに戻す",
    request_origin: "リクエストの送信元",
    sign_in_origin: "ログイン元",
    time: "日時",
    device: "端末",
    network: "IP アドレス",
    colon: "：",
    browser_on: |browser, system| format!("{system} の {browser}"),
    minutes: |count| format!(" {count} 分"),
    hours: |count| format!(" {count} 時間"),
    days: |count| format!(" {count} 日間"),
    role: |role| match role {
        Role::Admin => "管理者",
        Role::Manager => "マネージャー",
        Role::User => "ユーザー",
        Role::Guest => "ゲスト",
    },
    footer_entered: |brand| {
        format!("このメールは、{brand} でお使いのメールアドレスが入力されたため、自動的に送信されました。")
    },
    footer_account: |brand| {
        format!("このメールは、{brand} のアカウントに関するお知らせとして、自動的に送信されました。")
    },
};

pub(in crate::domain::mail) fn keep_code(brand: &str) -> String {
    format!("コードは絶対に他の人に教えないでください。{brand} の担当者がコードをお尋ねすることはありません。")
}

pub(in crate::domain::mail) fn keep_link(brand: &str) -> String {
    format!(
        "リンクは絶対に他の人に教えず、このメールも転送しないでください。\
         {brand} の担当者がリンクをお尋ねすることはありません。"
    )
}

pub(in crate::domain::mail) fn unexpected(brand: &str) -> String {
    format!("この変更にお心当たりがない場合は、{brand} の運営者にお問い合わせください。")
}
