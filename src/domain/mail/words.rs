//! What the mails say, in five languages. A language is one table, so that a missing sentence does not
//! compile. Nothing here is escaped: the templates do that. French keeps its no-break spaces (U+00A0).

use super::template::Locale;

/// The sentences of one language. Functions take what goes into the sentence: a brand or a length of time.
pub(super) struct Words {
    pub(super) code_subject: fn(&str) -> String,
    pub(super) code_heading: &'static str,
    pub(super) code_intro: fn(&str) -> String,
    pub(super) code_copy: &'static str,
    pub(super) code_lifetime: fn(&str) -> String,
    pub(super) code_not_you: &'static str,
    pub(super) code_secret: fn(&str) -> String,
    pub(super) link_subject: fn(&str) -> String,
    pub(super) link_heading: &'static str,
    pub(super) link_why: &'static str,
    pub(super) link_how: fn(&str) -> String,
    pub(super) link_button: &'static str,
    pub(super) link_not_you: &'static str,
    pub(super) link_secret: fn(&str) -> String,
    pub(super) request: &'static str,
    pub(super) time: &'static str,
    pub(super) device: &'static str,
    pub(super) network: &'static str,
    /// What stands between a label and its value.
    pub(super) colon: &'static str,
    /// A browser on a system.
    pub(super) browser_on: fn(&str, &str) -> String,
    pub(super) minutes: fn(u64) -> String,
    pub(super) hours: fn(u64) -> String,
    pub(super) footer: fn(&str) -> String,
}

/// The table of one language.
pub(super) fn words(locale: Locale) -> &'static Words {
    match locale {
        Locale::En => &ENGLISH,
        Locale::De => &GERMAN,
        Locale::Fr => &FRENCH,
        Locale::Es => &SPANISH,
        Locale::Ja => &JAPANESE,
    }
}

static ENGLISH: Words = Words {
    code_subject: |brand| format!("Your sign-in code for {brand}"),
    code_heading: "Your sign-in code",
    code_intro: |brand| format!("Enter this code to sign in to {brand}:"),
    code_copy: "To copy:",
    code_lifetime: |time| format!("The code works once and is valid for {time}."),
    code_not_you: "Wasn’t it you? Then simply ignore this mail: nobody can sign in without the code.",
    code_secret: |brand| format!("Never pass the code on to anyone. Nobody from {brand} will ever ask you for it."),
    link_subject: |brand| format!("Your sign-in link for {brand}"),
    link_heading: "Your sign-in link",
    link_why: "There have been many requests or wrong tries for your address, perhaps by someone else. \
        That is why you get a link this time instead of a code: it cannot be guessed.",
    link_how: |time| {
        format!(
            "Open it in the browser in which you want to sign in, and press the button there. \
             The link works once and is valid for {time}."
        )
    },
    link_button: "Open the sign-in page",
    link_not_you: "Wasn’t it you? Then simply ignore this mail: nobody can sign in without the link.",
    link_secret: |brand| {
        format!("Never pass the link on, and do not forward this mail. Nobody from {brand} will ever ask you for it.")
    },
    request: "Where the request came from",
    time: "Time",
    device: "Device",
    network: "IP address",
    colon: ": ",
    browser_on: |browser, system| format!("{browser} on {system}"),
    minutes: |count| {
        if count == 1 { "1 minute".to_owned() } else { format!("{count} minutes") }
    },
    hours: |count| {
        if count == 1 { "1 hour".to_owned() } else { format!("{count} hours") }
    },
    footer: |brand| format!("This mail was sent automatically because someone entered your address at {brand}."),
};

static GERMAN: Words = Words {
    code_subject: |brand| format!("Ihr Anmeldecode für {brand}"),
    code_heading: "Ihr Anmeldecode",
    code_intro: |brand| format!("Geben Sie diesen Code ein, um sich bei {brand} anzumelden:"),
    code_copy: "Zum Kopieren:",
    code_lifetime: |time| format!("Der Code funktioniert nur einmal und ist {time} gültig."),
    code_not_you: "Waren Sie das nicht? Dann ignorieren Sie diese E-Mail einfach: Ohne den Code kann sich niemand \
        anmelden.",
    code_secret: |brand| format!("Geben Sie den Code niemals weiter. Niemand von {brand} wird Sie je danach fragen."),
    link_subject: |brand| format!("Ihr Anmeldelink für {brand}"),
    link_heading: "Ihr Anmeldelink",
    link_why: "Für Ihre Adresse gab es sehr viele Anfragen oder Fehlversuche, vielleicht durch jemand anderen. \
        Deshalb erhalten Sie diesmal statt eines Codes einen Link: Er lässt sich nicht erraten.",
    link_how: |time| {
        format!(
            "Öffnen Sie ihn in dem Browser, in dem Sie sich anmelden möchten, und klicken Sie dort auf die \
             Schaltfläche. Der Link funktioniert nur einmal und ist {time} gültig."
        )
    },
    link_button: "Anmeldeseite öffnen",
    link_not_you: "Waren Sie das nicht? Dann ignorieren Sie diese E-Mail einfach: Ohne den Link kann sich niemand \
        anmelden.",
    link_secret: |brand| {
        format!(
            "Geben Sie den Link niemals weiter und leiten Sie diese E-Mail nicht weiter. Niemand von {brand} wird \
             Sie je danach fragen."
        )
    },
    request: "Woher die Anfrage kam",
    time: "Zeitpunkt",
    device: "Gerät",
    network: "IP-Adresse",
    colon: ": ",
    browser_on: |browser, system| format!("{browser} auf {system}"),
    minutes: |count| {
        if count == 1 { "1 Minute".to_owned() } else { format!("{count} Minuten") }
    },
    hours: |count| {
        if count == 1 { "1 Stunde".to_owned() } else { format!("{count} Stunden") }
    },
    footer: |brand| {
        format!("Diese E-Mail wurde automatisch verschickt, weil jemand bei {brand} Ihre Adresse eingegeben hat.")
    },
};

static FRENCH: Words = Words {
    code_subject: |brand| format!("Votre code de connexion à {brand}"),
    code_heading: "Votre code de connexion",
    code_intro: |brand| format!("Saisissez ce code pour vous connecter à {brand}\u{a0}:"),
    code_copy: "À copier\u{a0}:",
    code_lifetime: |time| format!("Ce code ne fonctionne qu’une seule fois et reste valable {time}."),
    code_not_you: "Ce n’était pas vous\u{a0}? Ignorez simplement cet e-mail\u{a0}: sans le code, personne ne peut se \
        connecter.",
    code_secret: |brand| {
        format!("Ne communiquez jamais ce code à qui que ce soit. Personne chez {brand} ne vous le demandera.")
    },
    link_subject: |brand| format!("Votre lien de connexion à {brand}"),
    link_heading: "Votre lien de connexion",
    link_why: "Votre adresse a fait l’objet de nombreuses demandes ou de nombreux essais erronés, peut-être de la \
        part d’une autre personne. C’est pourquoi vous recevez cette fois un lien au lieu d’un code\u{a0}: il est \
        impossible à deviner.",
    link_how: |time| {
        format!(
            "Ouvrez-le dans le navigateur avec lequel vous souhaitez vous connecter, puis appuyez sur le bouton \
             affiché. Le lien ne fonctionne qu’une seule fois et reste valable {time}."
        )
    },
    link_button: "Ouvrir la page de connexion",
    link_not_you: "Ce n’était pas vous\u{a0}? Ignorez simplement cet e-mail\u{a0}: sans le lien, personne ne peut se \
        connecter.",
    link_secret: |brand| {
        format!(
            "Ne communiquez jamais ce lien et ne transférez pas cet e-mail. Personne chez {brand} ne vous le demandera."
        )
    },
    request: "Origine de la demande",
    time: "Date",
    device: "Appareil",
    network: "Adresse IP",
    colon: "\u{a0}: ",
    browser_on: |browser, system| format!("{browser} sur {system}"),
    minutes: |count| {
        if count == 1 { "1\u{a0}minute".to_owned() } else { format!("{count}\u{a0}minutes") }
    },
    hours: |count| {
        if count == 1 { "1\u{a0}heure".to_owned() } else { format!("{count}\u{a0}heures") }
    },
    footer: |brand| {
        format!("Cet e-mail a été envoyé automatiquement, car quelqu’un a saisi votre adresse sur {brand}.")
    },
};

static SPANISH: Words = Words {
    code_subject: |brand| format!("Su código de acceso a {brand}"),
    code_heading: "Su código de acceso",
    code_intro: |brand| format!("Introduzca este código para iniciar sesión en {brand}:"),
    code_copy: "Para copiar:",
    code_lifetime: |time| format!("El código funciona una sola vez y es válido durante {time}."),
    code_not_you: "¿No ha sido usted? Ignore este correo: nadie puede iniciar sesión sin el código.",
    code_secret: |brand| format!("No comparta nunca el código. Nadie de {brand} se lo pedirá."),
    link_subject: |brand| format!("Su enlace de acceso a {brand}"),
    link_heading: "Su enlace de acceso",
    link_why: "Ha habido muchas solicitudes o intentos fallidos con su dirección, quizá por parte de otra persona. \
        Por eso esta vez recibe un enlace en lugar de un código: es imposible de adivinar.",
    link_how: |time| {
        format!(
            "Ábralo en el navegador en el que quiera iniciar sesión y pulse allí el botón. \
             El enlace funciona una sola vez y es válido durante {time}."
        )
    },
    link_button: "Abrir la página de acceso",
    link_not_you: "¿No ha sido usted? Ignore este correo: nadie puede iniciar sesión sin el enlace.",
    link_secret: |brand| format!("No comparta nunca el enlace ni reenvíe este correo. Nadie de {brand} se lo pedirá."),
    request: "Origen de la solicitud",
    time: "Fecha",
    device: "Dispositivo",
    network: "Dirección IP",
    colon: ": ",
    browser_on: |browser, system| format!("{browser} en {system}"),
    minutes: |count| {
        if count == 1 { "1 minuto".to_owned() } else { format!("{count} minutos") }
    },
    hours: |count| {
        if count == 1 { "1 hora".to_owned() } else { format!("{count} horas") }
    },
    footer: |brand| {
        format!("Este correo se ha enviado automáticamente porque alguien introdujo su dirección en {brand}.")
    },
};

static JAPANESE: Words = Words {
    code_subject: |brand| format!("{brand} のログインコード"),
    code_heading: "ログインコード",
    code_intro: |brand| format!("{brand} にログインするには、次のコードを入力してください。"),
    code_copy: "コピー用：",
    code_lifetime: |time| format!("コードの有効時間は{time}で、使用できるのは 1 回限りです。"),
    code_not_you: "お心当たりがない場合は、このメールを無視してください。コードがなければ、誰もログインできません。",
    code_secret: |brand| {
        format!("コードは絶対に他の人に教えないでください。{brand} の担当者がコードをお尋ねすることはありません。")
    },
    link_subject: |brand| format!("{brand} のログイン用リンク"),
    link_heading: "ログイン用リンク",
    link_why: "お使いのメールアドレスに対して、コードの請求または入力の誤りが多数ありました。第三者によるもの\
        かもしれません。そのため今回は、コードの代わりに、推測されるおそれのないリンクをお送りします。",
    link_how: |time| {
        format!(
            "ログインに使うブラウザーでリンクを開き、表示されたボタンを押してください。\
             リンクの有効時間は{time}で、使用できるのは 1 回限りです。"
        )
    },
    link_button: "ログインページを開く",
    link_not_you: "お心当たりがない場合は、このメールを無視してください。リンクがなければ、誰もログインできません。",
    link_secret: |brand| {
        format!(
            "リンクは絶対に他の人に教えず、このメールも転送しないでください。\
             {brand} の担当者がリンクをお尋ねすることはありません。"
        )
    },
    request: "リクエストの送信元",
    time: "日時",
    device: "端末",
    network: "IP アドレス",
    colon: "：",
    browser_on: |browser, system| format!("{system} の {browser}"),
    minutes: |count| format!(" {count} 分"),
    hours: |count| format!(" {count} 時間"),
    footer: |brand| format!("このメールは、{brand} でお使いのメールアドレスが入力されたため、自動的に送信されました。"),
};
