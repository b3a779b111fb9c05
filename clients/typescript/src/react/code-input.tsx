import { useRef, useState } from "react";

interface Props {
  length: number;
  describedBy: string;
  isInvalid: boolean;
  label: string;
  /** Whether the first complete code submits the form. Attempts are scarce, so later ones wait for the button. */
  submits: boolean;
}

/** One field, drawn as a slot for each digit. Takes the digits from any text that is pasted. */
export function CodeInput({ length, describedBy, isInvalid, label, submits }: Props) {
  const [digits, setDigits] = useState("");
  const completed = useRef(!submits);
  return (
    <label>
      {label}
      <span className="doorcode-code">
        <input
          name="code"
          inputMode="numeric"
          autoComplete="one-time-code"
          autoFocus
          required
          value={digits}
          aria-describedby={describedBy}
          aria-invalid={isInvalid}
          onChange={({ target }) => {
            const found = target.value.normalize("NFKC").replace(/\D/g, "").slice(0, length);
            setDigits(found);
            if (found.length < length || completed.current) return;
            completed.current = true;
            // The form reads the field, which has the digits after the next render.
            setTimeout(() => target.form?.requestSubmit());
          }}
        />
        <span aria-hidden="true">
          {Array.from({ length }, (_, at) => (
            <i
              key={at}
              data-gap={at === length / 2 - 1 || undefined}
              data-next={at === Math.min(digits.length, length - 1) || undefined}
            >
              {digits[at]}
            </i>
          ))}
        </span>
      </span>
    </label>
  );
}
