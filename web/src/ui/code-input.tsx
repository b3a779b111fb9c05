// The field for a code: one real input, drawn as slots. It takes the digits of anything that is pasted. The first
// complete code is submitted at once, and later ones wait for the button, because attempts are scarce.

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { text } from "../i18n";
import type { Form } from "./form";

interface Props {
  form: Form;
  length: number;
  value: string;
  onInput: (value: string) => void;
  /** A line below the code. */
  note?: ComponentChildren;
  /** Called with the first complete code. */
  onComplete?: (code: string) => void;
}

/** The digits of a code in any text, such as “Your code: 8287 6862” or full-width digits. */
export function digitsOf(input: string, length: number): string {
  const plain = input.normalize("NFKC");
  const whole = new RegExp(`(?<!\\d)\\d(?:[\\s-]?\\d){${length - 1}}(?!\\d)`).exec(plain)?.[0];
  return (whole ?? plain).replace(/\D/g, "").slice(0, length);
}

export function CodeInput({ form, length, value, onInput, note, onComplete }: Props) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [focused, setFocused] = useState(false);
  const [shaking, setShaking] = useState(false);
  const error = form.problem?.field === "code" ? form.problem.message : "";

  useEffect(() => {
    form.input("code")(input.current);
    input.current?.focus();
    return () => form.input("code")(null);
  }, []);
  useEffect(() => {
    if (error) setShaking(true);
  }, [form.problem]);

  const take = (element: HTMLInputElement) => {
    const code = digitsOf(element.value, length);
    element.value = code;
    onInput(code);
    if (code.length === length && value.length < length) onComplete?.(code);
  };

  const half = Math.ceil(length / 2);
  return (
    <div class="field">
      <label class="sr-only" for={id}>
        {text().fields.code}
      </label>
      <div class={`code${shaking ? " shake" : ""}`} onAnimationEnd={() => setShaking(false)}>
        <input
          ref={input}
          id={id}
          name="code"
          type="text"
          inputMode="numeric"
          autocomplete="one-time-code"
          spellcheck={false}
          required
          value={value}
          aria-invalid={error ? "true" : undefined}
          aria-describedby={`${id}-error`}
          onInput={(event) => take(event.currentTarget)}
          onFocus={() => setFocused(true)}
          onBlur={() => setFocused(false)}
        />
        <div class="slots" aria-hidden="true">
          {Array.from({ length }, (_, index) => {
            const active = focused && index === Math.min(value.length, length - 1);
            const classes = ["slot", active && "active", value[index] && "filled", index === half && "second"];
            return (
              <span class={classes.filter(Boolean).join(" ")} key={index}>
                {value[index] ?? ""}
              </span>
            );
          })}
        </div>
      </div>
      <p class="error" role="alert" id={`${id}-error`}>
        {error}
      </p>
      {note}
    </div>
  );
}
