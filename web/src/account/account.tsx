// The account: profile, security, API keys and data, each as a tab with an address of its own.

import { useEffect, useRef, useState } from "preact/hooks";
import type { AccountProps } from "../app";
import { text } from "../i18n";
import * as session from "../session/session";
import { passwordsOn, shell, usesConsole } from "../shell";
import { notify, Status } from "../ui/announce";
import { Button } from "../ui/button";
import { Footer, Logo } from "../ui/card";
import { errorText, useForm } from "../ui/form";
import { Icon } from "../ui/icon";
import { AccountContext, useAccount, type AccountApp } from "./context";
import { Data } from "./data";
import { Keys } from "./keys";
import { Profile } from "./profile";
import { Security } from "./security";
import { useStepUp } from "./step-up";

const tabs = ["profile", "security", "keys", "data"] as const;
type Tab = (typeof tabs)[number];

const tabOfAddress = (): Tab => tabs.find((tab) => location.hash === `#${tab}`) ?? "profile";

export function AccountPage({ person, arrival, changesPassword, onPerson, onSignOut }: AccountProps) {
  const t = text();
  const [tab, setTab] = useState<Tab>(changesPassword && passwordsOn() ? "security" : tabOfAddress);
  const [openPassword] = useState(changesPassword && passwordsOn());
  const [firstTab] = useState(tab);
  const { ask, dialog } = useStepUp(person.email);
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    document.title = `${t.account.title} · ${shell.brand}`;
    if (!openPassword) heading.current?.focus();
    const onHash = () => {
      notify("");
      setTab(tabOfAddress());
      heading.current?.focus();
    };
    addEventListener("hashchange", onHash);
    return () => removeEventListener("hashchange", onHash);
  }, []);

  const app: AccountApp = {
    person,
    update: (part) => onPerson({ ...person, ...part }),
    ask,
    signedOut: onSignOut,
  };

  return (
    <AccountContext.Provider value={app}>
      <div class="account">
        <Bar onSignOut={onSignOut} />
        <div class="columns">
          <Tabs current={tab} />
          <main class="parts">
            <h1 ref={heading} tabIndex={-1}>
              {t.account[tab]}
            </h1>
            {tab === firstTab && <Welcome arrival={arrival} />}
            <Status />
            {person.role === "GUEST" && <p class="notice">{t.account.guest}</p>}
            {tab === "profile" && <Profile />}
            {tab === "security" && <Security openPassword={openPassword} />}
            {tab === "keys" && <Keys />}
            {tab === "data" && <Data />}
          </main>
        </div>
        <Footer />
      </div>
      {dialog}
    </AccountContext.Provider>
  );
}

function Tabs({ current }: { current: Tab }) {
  const t = text();
  const nav = useRef<HTMLElement>(null);
  // In a narrow window, the tabs scroll.
  useEffect(() => nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" }), [current]);
  return (
    <nav ref={nav} class="tabs" aria-label={t.account.sections}>
      {tabs.map((name) => (
        <a href={`/account#${name}`} aria-current={name === current ? "page" : undefined} key={name}>
          <Icon name={name} />
          {t.account[name]}
        </a>
      ))}
    </nav>
  );
}

function Bar({ onSignOut }: { onSignOut: (notice: string) => void }) {
  const { person } = useAccount();
  const t = text();
  const leaving = useForm();
  const signOut = () =>
    leaving.run(async () => {
      const notice = await session.end().then(() => t.session.signedOut, (error) => t.session.signedOutHere(errorText(error)));
      onSignOut(notice);
    });

  return (
    <header class="bar">
      <a class="home" href="/account">
        <Logo small />
        <span>{shell.brand}</span>
      </a>
      <div class="actions">
        {usesConsole(person.role) && (
          <a class="button quiet small" href="/admin">
            {t.account.console}
          </a>
        )}
        <Button kind="secondary" small busy={leaving.busy} onClick={signOut}>
          {t.account.signOut}
        </Button>
      </div>
    </header>
  );
}

/** What to know right after a sign-in. */
function Welcome({ arrival }: { arrival: AccountProps["arrival"] }) {
  const t = text().session;
  if (!arrival || !(arrival.isNewUser || arrival.notice)) return null;
  return <p class={`notice ${arrival.notice ? "caution" : "good"}`}>{arrival.notice ?? t.welcome}</p>;
}

