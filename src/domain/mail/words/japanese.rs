//! Japanese text that several mails share. Mails use です・ます.

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
    footer_entered: |brand| format!("このメールは、{brand} でメールアドレスが入力されたため、自動で送信しています。"),
    footer_account: |brand| format!("このメールは、{brand} のアカウントに関するお知らせとして、自動で送信しています。"),
};

pub(in crate::domain::mail) fn keep_code(brand: &str) -> String {
    format!("このコードは誰にも教えないでください。{brand} の担当者がお尋ねすることはありません。")
}

pub(in crate::domain::mail) fn keep_link(brand: &str) -> String {
    format!(
        "このリンクは誰にも教えず、このメールも転送しないでください。\
         {brand} の担当者がお尋ねすることはありません。"
    )
}

pub(in crate::domain::mail) fn unexpected(brand: &str) -> String {
    format!("この変更にお心当たりがない場合は、{brand} の運営者にお問い合わせください。")
}
