// A labelled input with its hint and its error. The error is an alert, and the input refers to both.

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { text } from "../i18n";
import { speak } from "./announce";
import type { Form } from "./form";

interface Props {
  form: Form;
  name: string;
  label: string;
  value: string;
  onInput: (value: string) => void;
  type?: "text" | "email" | "password";
  autocomplete?: string;
  maxlength?: number;
  optional?: boolean;
  hint?: ComponentChildren;
  placeholder?: string;
  /** A link at the right of the label. */
  aside?: ComponentChildren;
  autofocus?: boolean;
}

const shown = new Set<() => void>();

/** Hides all visible passwords. */
export function hidePasswords(): void {
  for (const hide of shown) hide();
}

export function Field({ form, name, label, hint, aside, autofocus, optional, type = "text", ...props }: Props) {
  const id = useId();
  const [visible, setVisible] = useState(false);
  const [element, setElement] = useState<HTMLInputElement | null>(null);
  const error = form.problem?.field === name ? form.problem.message : "";
  const secret = type === "password";

  useEffect(() => {
    const hide = () => setVisible(false);
    shown.add(hide);
    return () => void shown.delete(hide);
  }, []);
  useEffect(() => form.input(name)(element), [element]);
  useEffect(() => {
    if (autofocus) element?.focus();
  }, [element]);

  const input = (
    <input
      ref={setElement}
      id={id}
      name={name}
      class="input"
      type={(secret && visible ? "text" : type) as "text"}
      value={props.value}
      onInput={(event) => props.onInput(event.currentTarget.value)}
      autocomplete={(props.autocomplete ?? "off") as "off"}
      placeholder={props.placeholder}
      inputMode={type === "email" ? "email" : undefined}
      autocapitalize={type === "text" ? undefined : "none"}
      spellcheck={type === "text" ? undefined : false}
      maxLength={props.maxlength ?? (type === "email" ? 254 : undefined)}
      required={!optional}
      aria-invalid={error ? "true" : undefined}
      aria-describedby={`${id}-hint ${id}-error`}
    />
  );
  return (
    <div class="field">
      <div class="label">
        <label for={id}>
          {label} {optional && <span class="quiet">({text().optional})</span>}
        </label>
        {aside}
      </div>
      {secret ? (
        <div class="secret">
          {input}
          <RevealButton id={id} visible={visible} onToggle={setVisible} />
        </div>
      ) : (
        input
      )}
      <p class="error" role="alert" id={`${id}-error`}>
        {error}
      </p>
      <p class="hint" id={`${id}-hint`}>
        {hint}
      </p>
    </div>
  );
}

function RevealButton({ id, visible, onToggle }: { id: string; visible: boolean; onToggle: (on: boolean) => void }) {
  const t = text();
  const toggle = () => {
    onToggle(!visible);
    speak(visible ? t.passwordHidden : t.passwordShown);
  };
  return (
    <button type="button" class="reveal" aria-controls={id} aria-label={visible ? t.hidePassword : t.showPassword} onClick={toggle}>
      {visible ? t.hide : t.show}
    </button>
  );
}

interface SelectProps {
  name: string;
  label: string;
  options: [value: string, text: string][];
  value: string;
  onChange: (value: string) => void;
  autofocus?: boolean;
}

/** A list of choices with its label. */
export function Select({ name, label, options, value, onChange, autofocus }: SelectProps) {
  const id = useId();
  const element = useRef<HTMLSelectElement>(null);
  useEffect(() => {
    if (autofocus) element.current?.focus();
  }, []);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select ref={element} id={id} name={name} class="input select" value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map(([each, shown]) => (
          <option value={each} key={each}>
            {shown}
          </option>
        ))}
      </select>
    </div>
  );
}

/** The error of a form that belongs to no field. */
export function FormError({ form }: { form: Form }) {
  return (
    <p class="error" role="alert">
      {form.problem && !form.problem.field ? form.problem.message : ""}
    </p>
  );
}

export function Remember({ value, onChange }: { value: boolean; onChange: (value: boolean) => void }) {
  const t = text().fields;
  const id = useId();
  return (
    <div class="check">
      <input
        type="checkbox"
        id={id}
        name="remember"
        checked={value}
        onChange={(event) => onChange(event.currentTarget.checked)}
        aria-describedby={`${id}-hint`}
      />
      <label for={id}>{t.remember}</label>
      <p class="hint" id={`${id}-hint`} hidden={value}>
        {t.rememberHint}
      </p>
    </div>
  );
}
