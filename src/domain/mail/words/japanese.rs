//! The mails in Japanese, in the polite form. Nothing but sentences.

use super::{Fill, Sheet, Words};
use crate::db::entity::Role;

pub(super) static WORDS: Words = Words {
    code: Sheet {
        subject: |brand| format!("{brand} のログインコード"),
        heading: "ログインコード",
        before: |Fill { brand, .. }| vec![format!("{brand} にログインするには、次のコードを入力してください。")],
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!("コードの有効時間は{lifetime}で、使用できるのは 1 回限りです。"),
                "お心当たりがない場合は、このメールを無視してください。コードがなければ、誰もログインできません。"
                    .to_owned(),
                keep_code(brand),
            ]
        },
    },
    link: Sheet {
        subject: |brand| format!("{brand} のログイン用リンク"),
        heading: "ログイン用リンク",
        before: |Fill { lifetime, .. }| {
            vec![
                "お使いのメールアドレスに対して、コードの請求または入力の誤りが多数ありました。第三者によるもの\
                 かもしれません。そのため今回は、コードの代わりに、推測されるおそれのないリンクをお送りします。"
                    .to_owned(),
                format!(
                    "ログインに使うブラウザーでリンクを開き、表示されたボタンを押してください。\
                     リンクの有効時間は{lifetime}で、使用できるのは 1 回限りです。"
                ),
            ]
        },
        after: |Fill { brand, .. }| {
            vec![
                "お心当たりがない場合は、このメールを無視してください。リンクがなければ、誰もログインできません。"
                    .to_owned(),
                keep_link(brand),
            ]
        },
    },
    email_code: Sheet {
        subject: |brand| format!("{brand} の新しいメールアドレスの確認"),
        heading: "新しいメールアドレスの確認",
        before: |Fill { brand, .. }| {
            vec![format!(
                "このメールアドレスが、{brand} のアカウントの新しいメールアドレスとして入力されました。\
                 確認するには、変更の手続きをしたページで次のコードを入力してください。"
            )]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!(
                    "メールアドレスは、そのページでコードを入力するまで変更されません。\
                     コードの有効時間は{lifetime}で、使用できるのは 1 回限りです。"
                ),
                "お心当たりがない場合は、このメールを無視してください。コードがなければ、何も変更されません。"
                    .to_owned(),
                keep_code(brand),
            ]
        },
    },
    invitation: Sheet {
        subject: |brand| format!("{brand} への招待"),
        heading: "招待のお知らせ",
        before: |Fill { brand, .. }| {
            vec![
                format!("{brand} に、このメールアドレスでお使いいただけるアカウントが作成されました。"),
                "ログインするには、下のページを開き、このメールアドレスを入力してください。コードがメールで届きます。\
                 パスワードは必要ありません。"
                    .to_owned(),
            ]
        },
        after: |_| vec!["この招待にお心当たりがない場合は、このメールを無視してください。".to_owned()],
    },
    email_changed: Sheet {
        subject: email_changed_subject,
        heading: EMAIL_CHANGED,
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "{brand} でお使いのアカウントのメールアドレスが、別のものに変更されました。\
                     今後、このアカウントのログインコードは、このメールアドレスには送信されません。"
                ),
                "ご自身で変更された場合は、何もする必要はありません。".to_owned(),
                "お心当たりがない場合は、次のリンクを開き、表示されたボタンを押してください。\
                 メールアドレスが元に戻り、すべてのセッションが終了します。"
                    .to_owned(),
            ]
        },
        after: |Fill { brand, lifetime, .. }| vec![format!("リンクの有効期間は{lifetime}です。"), keep_link(brand)],
    },
    email_changed_for_you: Sheet {
        subject: email_changed_subject,
        heading: EMAIL_CHANGED,
        before: |Fill { brand, .. }| {
            vec![format!(
                "{brand} の管理者が、お使いのアカウントのメールアドレスを別のものに変更しました。\
                 今後、このアカウントのログインコードは、このメールアドレスには送信されません。"
            )]
        },
        after: |Fill { brand, .. }| vec![unexpected(brand)],
    },
    email_taken_back: Sheet {
        subject: |brand| format!("{brand} のメールアドレスの変更が取り消されました"),
        heading: "メールアドレスの変更が取り消されました",
        before: |Fill { brand, .. }| {
            vec![format!(
                "{brand} のお使いのアカウントの以前のメールアドレスを利用できる人が、変更を取り消しました。\
                 すべての端末でログアウトされ、ログインコードは今後このメールアドレスには送信されません。"
            )]
        },
        after: |Fill { brand, .. }| vec![unexpected(brand)],
    },
    account_deleted: Sheet {
        subject: |brand| format!("{brand} のアカウントが削除されました"),
        heading: "アカウントが削除されました",
        before: |Fill { brand, .. }| {
            vec![format!(
                "{brand} のお使いのアカウントが削除されました。すべての端末でログアウトされ、誰もログインできません。\
                 しばらくの間は復元できます。"
            )]
        },
        after: |Fill { brand, .. }| vec![unexpected(brand)],
    },
    email_is_now: Sheet {
        subject: |brand| format!("{brand} の新しいメールアドレス"),
        heading: "新しいメールアドレス",
        before: |Fill { brand, .. }| {
            vec![format!(
                "{brand} の管理者が、お使いのアカウントのメールアドレスを変更しました。\
                 今後は、このメールアドレスでログインしてください。"
            )]
        },
        after: |Fill { brand, .. }| vec![unexpected(brand)],
    },
    new_device: Sheet {
        subject: |brand| format!("新しい端末から {brand} へのログイン"),
        heading: "新しい端末からのログイン",
        before: |Fill { brand, .. }| {
            vec![
                format!("{brand} でお使いのアカウントに、これまで使われたことのない端末からログインがありました。"),
                "ご自身でログインされた場合は、何もする必要はありません。".to_owned(),
                "お心当たりがない場合は、ログインして該当するセッションを終了し、その端末を削除してください。"
                    .to_owned(),
            ]
        },
        after: |_| {
            vec![
                "メールボックスの安全もご確認ください。メールを読むことができる人は、お使いのアカウントにログイン\
                 できてしまいます。"
                    .to_owned(),
            ]
        },
    },
    role_changed: Sheet {
        subject: |brand| format!("{brand} での権限の変更"),
        heading: "権限の変更",
        before: |Fill { brand, role, .. }| {
            vec![format!("{brand} の管理者が、お使いのアカウントの権限を変更しました。現在の役割は「{role}」です。")]
        },
        after: |Fill { brand, .. }| vec![unexpected(brand)],
    },
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

const EMAIL_CHANGED: &str = "メールアドレスの変更";

fn email_changed_subject(brand: &str) -> String {
    format!("{brand} のメールアドレスの変更")
}

fn keep_code(brand: &str) -> String {
    format!("コードは絶対に他の人に教えないでください。{brand} の担当者がコードをお尋ねすることはありません。")
}

fn keep_link(brand: &str) -> String {
    format!(
        "リンクは絶対に他の人に教えず、このメールも転送しないでください。\
         {brand} の担当者がリンクをお尋ねすることはありません。"
    )
}

fn unexpected(brand: &str) -> String {
    format!("この変更にお心当たりがない場合は、{brand} の運営者にお問い合わせください。")
}
