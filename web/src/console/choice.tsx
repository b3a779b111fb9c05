// A list to choose one filter from.

interface Props {
  label: string;
  value: string;
  /** What the empty choice is called. Without it, there is none. */
  any?: string;
  options: Record<string, string>;
  onChoose: (value: string) => void;
}

export function Choice({ label, value, any, options, onChoose }: Props) {
  return (
    <label class={value && any ? "choice set" : "choice"}>
      <span class="sr-only">{label}</span>
      <select class="input" value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
        {any !== undefined && <option value="">{any}</option>}
        {Object.entries(options).map(([name, text]) => (
          <option value={name} key={name}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
