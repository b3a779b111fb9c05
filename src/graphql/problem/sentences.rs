//! The sentences that users read in results, one row for each in the five languages of the mails. German says “Sie”,
//! French “vous” with no-break spaces before units, Spanish “tú”, Japanese です・ます. `{}` stands for a number or a time.

use crate::domain::mail::template::Locale;

/// A sentence in every language.
#[derive(Debug)]
pub(super) struct Sentence {
    en: &'static str,
    de: &'static str,
    fr: &'static str,
    es: &'static str,
    ja: &'static str,
}

impl Sentence {
    /// The text in a language.
    pub(super) const fn text(&self, locale: Locale) -> &'static str {
        match locale {
            Locale::En => self.en,
            Locale::De => self.de,
            Locale::Fr => self.fr,
            Locale::Es => self.es,
            Locale::Ja => self.ja,
        }
    }

    /// The text with a value in the place of `{}`.
    pub(super) fn with(&self, locale: Locale, value: &str) -> String {
        self.text(locale).replace("{}", value)
    }
}

/// Makes one constant for each row.
macro_rules! sentences {
    ($($name:ident { en: $en:literal, de: $de:literal, fr: $fr:literal, es: $es:literal, ja: $ja:literal, })+) => {
        $(pub(super) static $name: Sentence = Sentence { en: $en, de: $de, fr: $fr, es: $es, ja: $ja };)+

        /// Every sentence with its name.
        #[cfg(test)]
        static ALL: &[(&str, &Sentence)] = &[$((stringify!($name), &$name),)+];
    };
}

sentences! {
    ADDRESS_TOO_LONG {
        en: "This email address is too long. It can have at most 254 characters, with at most 64 before the @.",
        de: "Diese E-Mail-Adresse ist zu lang. Erlaubt sind höchstens 254 Zeichen, davon höchstens 64 vor dem @.",
        fr: "Cette adresse e-mail est trop longue. Elle peut compter 254 caractères au plus, dont 64 au plus avant le @.",
        es: "Esta dirección de correo es demasiado larga. Puede tener 254 caracteres como máximo, 64 de ellos antes de la @.",
        ja: "メールアドレスが長すぎます。全体で 254 文字以内、@ の前は 64 文字以内にしてください。",
    }
    ADDRESS_SHAPE {
        en: "Enter an email address such as you@example.com.",
        de: "Geben Sie eine E-Mail-Adresse ein, zum Beispiel name@example.com.",
        fr: "Saisissez une adresse e-mail, par exemple nom@example.com.",
        es: "Introduce una dirección de correo, por ejemplo nombre@example.com.",
        ja: "name@example.com のような形式でメールアドレスを入力してください。",
    }
    ADDRESS_LOCAL {
        en: "The part before the @ can have the letters a to z, digits, single dots between them, and the characters \
             !#$%&'*+/=?^_`{|}~- (no hyphen at the start).",
        de: "Vor dem @ sind die Buchstaben a bis z, Ziffern, einzelne Punkte dazwischen und die Zeichen \
             !#$%&'*+/=?^_`{|}~- erlaubt (kein Bindestrich am Anfang).",
        fr: "Avant le @, vous pouvez utiliser les lettres de a à z, des chiffres, des points isolés entre eux et les \
             caractères !#$%&'*+/=?^_`{|}~- (pas de trait d’union au début).",
        es: "Antes de la @ puede haber letras de la a a la z, cifras, puntos sueltos entre ellas y los caracteres \
             !#$%&'*+/=?^_`{|}~- (sin guion al principio).",
        ja: "@ の前に使えるのは、半角の英字と数字、その間のピリオド（連続は不可）、記号 !#$%&'*+/=?^_`{|}~- です（先頭のハイフンは使えません）。",
    }
    ADDRESS_DOMAIN {
        en: "The part after the @ must be a domain that can receive email, such as example.com.",
        de: "Nach dem @ muss eine Domain stehen, die E-Mails empfangen kann, zum Beispiel example.com.",
        fr: "Après le @, indiquez un domaine qui peut recevoir des e-mails, par exemple example.com.",
        es: "Después de la @ debe ir un dominio que pueda recibir correo, por ejemplo example.com.",
        ja: "@ の後には、example.com のように、メールを受信できるドメインを入力してください。",
    }
    OWN_ADDRESS {
        en: "This is already your address.",
        de: "Das ist bereits Ihre Adresse.",
        fr: "C’est déjà votre adresse.",
        es: "Esta ya es tu dirección.",
        ja: "現在お使いのメールアドレスと同じです。",
    }
    FOREIGN_DOMAIN {
        en: "Addresses at this domain can't be used here.",
        de: "Adressen dieser Domain können hier nicht verwendet werden.",
        fr: "Les adresses de ce domaine ne sont pas acceptées ici.",
        es: "Aquí no se pueden usar direcciones de este dominio.",
        ja: "このドメインのメールアドレスは、ここでは使えません。",
    }
    WRONG_CODE {
        en: "That code isn't right. Use the code from our newest email.",
        de: "Dieser Code stimmt nicht. Verwenden Sie den Code aus unserer neuesten E-Mail.",
        fr: "Ce code n’est pas correct. Utilisez celui de notre e-mail le plus récent.",
        es: "Ese código no es correcto. Usa el de nuestro correo más reciente.",
        ja: "コードが正しくありません。最新のメールに記載されたコードを入力してください。",
    }
    CODE_EXPIRED {
        en: "That code no longer works. Request a new one.",
        de: "Dieser Code gilt nicht mehr. Fordern Sie einen neuen an.",
        fr: "Ce code n’est plus valable. Demandez-en un nouveau.",
        es: "Ese código ya no es válido. Solicita uno nuevo.",
        ja: "このコードはもう使えません。新しいコードを取得してください。",
    }
    LINK_EXPIRED {
        en: "This link has expired or was already used. Contact the operator of this service.",
        de: "Dieser Link ist abgelaufen oder wurde bereits verwendet. Wenden Sie sich an die Betreiber dieses Dienstes.",
        fr: "Ce lien a expiré ou a déjà été utilisé. Contactez les responsables de ce service.",
        es: "Este enlace ha caducado o ya se ha usado. Ponte en contacto con los responsables de este servicio.",
        ja: "このリンクは期限切れか、すでに使用されています。このサービスの運営者にお問い合わせください。",
    }
    SESSION_ENDED {
        en: "Your session has ended. Sign in again.",
        de: "Ihre Sitzung ist beendet. Melden Sie sich erneut an.",
        fr: "Votre session est terminée. Reconnectez-vous.",
        es: "Tu sesión ha terminado. Vuelve a iniciar sesión.",
        ja: "セッションが終了しました。もう一度ログインしてください。",
    }
    ALREADY_ENDED {
        en: "This session has already ended.",
        de: "Diese Sitzung ist bereits beendet.",
        fr: "Cette session est déjà terminée.",
        es: "Esta sesión ya había terminado.",
        ja: "このセッションはすでに終了しています。",
    }
    WAIT {
        en: "Too many attempts. Try again in {}.",
        de: "Zu viele Versuche. Versuchen Sie es in {} erneut.",
        fr: "Trop de tentatives. Réessayez dans {}.",
        es: "Demasiados intentos. Vuelve a intentarlo en {}.",
        ja: "試行回数が多すぎます。{}後にもう一度お試しください。",
    }
    SECOND { en: "1 second", de: "1 Sekunde", fr: "1\u{a0}seconde", es: "1 segundo", ja: "1 秒", }
    SECONDS { en: "{} seconds", de: "{} Sekunden", fr: "{}\u{a0}secondes", es: "{} segundos", ja: "{} 秒", }
    MINUTES { en: "{} minutes", de: "{} Minuten", fr: "{}\u{a0}minutes", es: "{} minutos", ja: "{} 分", }
    HOURS { en: "{} hours", de: "{} Stunden", fr: "{}\u{a0}heures", es: "{} horas", ja: "{} 時間", }
    DAYS { en: "{} days", de: "{} Tagen", fr: "{}\u{a0}jours", es: "{} días", ja: "{} 日", }
    EMAIL_TAKEN {
        en: "This address is already in use.",
        de: "Diese Adresse wird bereits verwendet.",
        fr: "Cette adresse est déjà utilisée.",
        es: "Esta dirección ya está en uso.",
        ja: "このメールアドレスはすでに使われています。",
    }
    ADDRESS_LOST {
        en: "Another account now uses this address. The account that lost it is blocked. Ask the operator of this \
             service to restore it.",
        de: "Ein anderes Konto verwendet jetzt diese Adresse. Das Konto, das sie verloren hat, ist gesperrt. Bitten Sie \
             die Betreiber dieses Dienstes, es wiederherzustellen.",
        fr: "Un autre compte utilise maintenant cette adresse. Le compte qui l’a perdue est bloqué. Demandez aux \
             responsables de ce service de le rétablir.",
        es: "Otra cuenta usa ahora esta dirección. La cuenta que la ha perdido está bloqueada. Pide a los responsables \
             de este servicio que la restablezcan.",
        ja: "このメールアドレスは現在、別のアカウントで使われています。元のアカウントは利用停止中です。\
             復元については、このサービスの運営者にお問い合わせください。",
    }
    LAST_ADMIN {
        en: "This is the last active administrator. Make someone else an administrator first.",
        de: "Das ist der letzte aktive Administrator. Machen Sie zuerst jemand anderen zum Administrator.",
        fr: "C’est le dernier administrateur actif. Nommez d’abord un autre administrateur.",
        es: "Es el último administrador activo. Nombra antes a otro administrador.",
        ja: "有効な管理者はこのユーザーだけです。先に別のユーザーを管理者にしてください。",
    }
    INVALID_CREDENTIALS {
        en: "The email address or the password isn't right.",
        de: "Die E-Mail-Adresse oder das Passwort stimmt nicht.",
        fr: "L’adresse e-mail ou le mot de passe n’est pas correct.",
        es: "La dirección de correo o la contraseña no es correcta.",
        ja: "メールアドレスまたはパスワードが正しくありません。",
    }
    PASSWORD_TOO_SHORT {
        en: "Use at least {} characters.",
        de: "Verwenden Sie mindestens {} Zeichen.",
        fr: "Utilisez au moins {} caractères.",
        es: "Usa al menos {} caracteres.",
        ja: "{} 文字以上にしてください。",
    }
    PASSWORD_TOO_LONG {
        en: "Use at most {} characters.",
        de: "Verwenden Sie höchstens {} Zeichen.",
        fr: "Utilisez {} caractères au plus.",
        es: "Usa {} caracteres como máximo.",
        ja: "{} 文字以内にしてください。",
    }
    PASSWORD_COMMON {
        en: "Too many people use this password. Choose another one.",
        de: "Dieses Passwort ist zu verbreitet. Wählen Sie ein anderes.",
        fr: "Ce mot de passe est trop courant. Choisissez-en un autre.",
        es: "Esta contraseña es demasiado común. Elige otra.",
        ja: "よく使われているパスワードです。別のパスワードにしてください。",
    }
    PASSWORD_BREACHED {
        en: "This password is known from a data breach. Choose another one.",
        de: "Dieses Passwort ist durch ein Datenleck bekannt geworden. Wählen Sie ein anderes.",
        fr: "Ce mot de passe figure dans une fuite de données. Choisissez-en un autre.",
        es: "Esta contraseña ha aparecido en una filtración de datos. Elige otra.",
        ja: "過去に流出したことのあるパスワードです。別のパスワードにしてください。",
    }
    PASSWORD_CONTAINS_IDENTITY {
        en: "Leave your email address, your name and the name of this service out of the password.",
        de: "Verwenden Sie im Passwort weder Ihre E-Mail-Adresse noch Ihren Namen oder den Namen dieses Dienstes.",
        fr: "N’utilisez dans le mot de passe ni votre adresse e-mail, ni votre nom, ni le nom de ce service.",
        es: "No uses en la contraseña tu dirección de correo, tu nombre ni el nombre de este servicio.",
        ja: "メールアドレス、名前、このサービスの名前は、パスワードに含めないでください。",
    }
    SESSION_DISOWNED {
        en: "You’re signed out everywhere, and the account has no password now. Sign in with a new code.",
        de: "Sie sind überall abgemeldet, und das Konto hat jetzt kein Passwort mehr. Melden Sie sich mit einem neuen \
             Code an.",
        fr: "Toutes les sessions sont terminées et le compte n’a plus de mot de passe. Connectez-vous avec un nouveau \
             code.",
        es: "Se han cerrado todas las sesiones y la cuenta ya no tiene contraseña. Inicia sesión con un código nuevo.",
        ja: "すべての端末からログアウトし、パスワードを削除しました。新しいコードでログインしてください。",
    }
    CHANGE_UNDONE {
        en: "The account has this address again, and all of its sessions have ended. Sign in with a new code.",
        de: "Das Konto hat wieder diese Adresse, und alle seine Sitzungen sind beendet. Melden Sie sich mit einem neuen \
             Code an.",
        fr: "Le compte a retrouvé cette adresse et toutes ses sessions sont terminées. Connectez-vous avec un nouveau \
             code.",
        es: "La cuenta vuelve a tener esta dirección y todas sus sesiones han terminado. Inicia sesión con un código \
             nuevo.",
        ja: "アカウントのメールアドレスを元に戻し、すべてのセッションを終了しました。新しいコードでログインしてください。",
    }
    CHANGE_UNDONE_BUT_BLOCKED {
        en: "The account has this address again, and all of its sessions have ended. An administrator has blocked it. \
             Contact the operator of this service.",
        de: "Das Konto hat wieder diese Adresse, und alle seine Sitzungen sind beendet. Ein Administrator hat es \
             gesperrt. Wenden Sie sich an die Betreiber dieses Dienstes.",
        fr: "Le compte a retrouvé cette adresse et toutes ses sessions sont terminées. Un administrateur l’a bloqué. \
             Contactez les responsables de ce service.",
        es: "La cuenta vuelve a tener esta dirección y todas sus sesiones han terminado. Un administrador la ha \
             bloqueado. Ponte en contacto con los responsables de este servicio.",
        ja: "アカウントのメールアドレスを元に戻し、すべてのセッションを終了しました。このアカウントは管理者により\
             利用停止中です。このサービスの運営者にお問い合わせください。",
    }
    ACCOUNT_DELETED {
        en: "Your account is deleted. To restore it, contact an administrator soon.",
        de: "Ihr Konto ist gelöscht. Möchten Sie es wiederherstellen? Dann wenden Sie sich bald an einen Administrator.",
        fr: "Votre compte est supprimé. Pour le rétablir, contactez rapidement un administrateur.",
        es: "Tu cuenta se ha eliminado. Para recuperarla, ponte pronto en contacto con un administrador.",
        ja: "アカウントを削除しました。復元をご希望の場合は、お早めに管理者にお問い合わせください。",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_sentence_is_translated_and_keeps_its_placeholder() {
        for (name, sentence) in ALL {
            let texts: BTreeSet<_> = Locale::ALL.into_iter().map(|locale| sentence.text(locale)).collect();
            assert_eq!(texts.len(), Locale::ALL.len(), "{name}: two languages have the same text");
            let has_placeholder = |text: &&str| text.matches("{}").count();
            let counts: BTreeSet<_> = texts.iter().map(has_placeholder).collect();
            assert_eq!(counts.len(), 1, "{name}: a language lost or gained a placeholder");
            assert!(texts.iter().all(|text| text.trim() == *text && !text.contains("  ")), "{name}: stray spaces");
        }
    }
}
