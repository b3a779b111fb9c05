// Where people read the mail of well-known domains.

const apps: [name: string, url: string, domains: string[]][] = [
  ["Gmail", "https://mail.google.com/mail/", ["gmail.com", "googlemail.com"]],
  ["Outlook", "https://outlook.live.com/mail/", ["outlook.com", "outlook.de", "outlook.fr", "outlook.es", "outlook.jp", "hotmail.com", "hotmail.fr", "hotmail.de", "hotmail.es", "live.com", "msn.com"]],
  ["Yahoo Mail", "https://mail.yahoo.com/", ["yahoo.com", "yahoo.de", "yahoo.fr", "yahoo.es", "ymail.com"]],
  ["Yahoo!メール", "https://mail.yahoo.co.jp/", ["yahoo.co.jp"]],
  ["iCloud Mail", "https://www.icloud.com/mail/", ["icloud.com", "me.com", "mac.com"]],
  ["Proton Mail", "https://mail.proton.me/", ["proton.me", "protonmail.com", "pm.me"]],
  ["GMX", "https://www.gmx.net/", ["gmx.de", "gmx.net", "gmx.at", "gmx.ch"]],
  ["WEB.DE", "https://web.de/", ["web.de"]],
];

/** The name and address of the webmail for an address, if its domain is well known. */
export function mailApp(email: string): { name: string; url: string } | null {
  const domain = email.slice(email.lastIndexOf("@") + 1).toLowerCase();
  const [name, url] = apps.find(([, , domains]) => domains.includes(domain)) ?? [];
  return name && url ? { name, url } : null;
}
