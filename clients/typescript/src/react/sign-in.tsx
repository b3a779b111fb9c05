import { useId, useState } from "react";
import type { Session } from "../types.js";
import { Face, type View } from "./fields.js";
import { useIsBrowser } from "./provider.js";
import { useStyle } from "./style.js";
import { english, type Text } from "./text.js";
import { useSignIn } from "./use-sign-in.js";
import { EnterCode, Forgot, Register, WithCode, WithPassword } from "./views.js";

export interface SignInProps {
  /** Runs after a sign-in. */
  onSignedIn?: (session: Session) => void;
  /** Replaces words, for example by those of another language. */
  text?: Partial<Text>;
  className?: string;
}

/** A complete sign-in form: with a code or a password, to register and to reset a password. */
export function SignIn(props: SignInProps) {
  useStyle();
  // A server cannot know whether a code is in progress.
  return useIsBrowser() ? <Forms {...props} /> : null;
}

function Forms({ onSignedIn, text, className = "" }: SignInProps) {
  const t = { ...english, ...text };
  const state = useSignIn(onSignedIn);
  const { pending, options } = state;
  const [chosen, setChosen] = useState<View | null>(null);
  const [email, setEmail] = useState(pending?.email ?? "");
  const alert = useId();

  const go = (view: View) => {
    state.cancel();
    setChosen(view);
  };
  const Form = {
    code: WithCode,
    password: WithPassword,
    register: Register,
    forgot: Forgot,
  }[chosen ?? (options?.methods[0] === "PASSWORD" ? "password" : "code")];

  return (
    <section className={`doorcode doorcode-sign-in ${className}`}>
      <Face.Provider value={{ t, state, email, setEmail, go, alert }}>
        {pending ? <EnterCode pending={pending} /> : <Form />}
      </Face.Provider>
      {/* Screen readers ignore a region that appears together with its text. */}
      <p role="status" className="doorcode-spoken">
        {pending && t.codeSentIfKnown(pending.email)}
      </p>
    </section>
  );
}
