// The frame of the pages before sign-in: one card with the logo and a heading, and a footer.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { choose, language, languages, text, type Language } from "../i18n";
import { shell } from "../shell";
import { Status } from "./announce";

interface Props {
  title: string;
  lead?: ComponentChildren;
  children: ComponentChildren;
  /** Below the card's content, such as a link to another form. */
  foot?: ComponentChildren;
  /** Moves the focus to the heading, for pages that start with text. */
  focusTitle?: boolean;
  /** Shows the card only after a moment, because most requests are faster. */
  quiet?: boolean;
}

export function Card({ title, lead, children, foot, focusTitle, quiet }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (focusTitle) heading.current?.focus();
  }, []);
  useEffect(() => {
    document.title = `${title} · ${shell.brand}`;
  }, [title]);
  return (
    <div class={quiet ? "page late" : "page"}>
      <main class="card">
        <Logo />
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {lead && <p class="lead">{lead}</p>}
        <Status />
        {children}
        {foot && <div class="card-foot">{foot}</div>}
      </main>
      <Footer />
    </div>
  );
}

export function Logo({ small }: { small?: boolean }) {
  const size = small ? 28 : 40;
  const custom = Boolean(shell.logo);
  return (
    <img
      class={custom ? "logo custom" : "logo"}
      src={shell.logo ?? "/favicon.svg"}
      alt={text().brandLogo(shell.brand)}
      height={size}
      width={custom ? undefined : size}
    />
  );
}

export function Footer() {
  const t = text();
  const links: [string | null | undefined, string][] = [
    [shell.supportUrl, t.support],
    [shell.termsUrl, t.terms],
    [shell.privacyUrl, t.privacy],
  ];
  return (
    <footer class="footer">
      {links.map(([url, label]) => url && <a href={url} key={label}>{label}</a>)}
      <LanguageSwitch />
    </footer>
  );
}

function LanguageSwitch() {
  return (
    <label class="language">
      <span class="sr-only">{text().language}</span>
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
        <path d="M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13Zm0 0c-2 2-2.7 4.1-2.7 6.5s.7 4.5 2.7 6.5c2-2 2.7-4.1 2.7-6.5S10 3.5 8 1.5ZM1.7 8h12.6" fill="none" stroke="currentColor" stroke-width="1.2" />
      </svg>
      <select
        value={language()}
        onChange={(event) => void choose(event.currentTarget.value as Language)}
      >
        {Object.entries(languages).map(([code, name]) => (
          <option value={code} lang={code} key={code}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
