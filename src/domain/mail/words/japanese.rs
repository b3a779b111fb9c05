//! Japanese text that several mails share. Mails use です・ます.

use super::Words;
use crate::db::entity::Role;

pub(super) static WORDS: Words = Words {
    copy: "コピー用：",
    open_page: "ログインページを開く",
    restore_address: "このメールアドレスに戻す",
    not_me: "心当たりがありません",
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
    need_help: "お困りですか？",
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

/// What happened, and what to do if it wasn’t the reader.
pub(in crate::domain::mail) fn or_disown(news: String) -> Vec<String> {
    vec![
        news,
        "ご自身による操作の場合は、何もする必要はありません。".to_owned(),
        "お心当たりがない場合は、次のリンクを開き、ページのボタンを押してください。すべての端末でログアウトされ、\
         パスワードと API キーがあれば削除され、使用済みの端末の記録も消去されます。その後は、\
         メールで届くコードでログインできます。"
            .to_owned(),
    ]
}

pub(in crate::domain::mail) fn disown_until(lifetime: &str) -> String {
    format!("リンクの有効期間は{lifetime}です。")
}
