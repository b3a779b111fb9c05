// A sentence with elements in it: `{name}` in the text is replaced by the element of that name.

import { Fragment, type ComponentChildren } from "preact";

export function Rich({ text, ...parts }: { text: string } & Record<string, ComponentChildren>) {
  return (
    <>
      {text.split(/\{(\w+)\}/).map((piece, index) => (
        <Fragment key={index}>{index % 2 === 0 ? piece : parts[piece]}</Fragment>
      ))}
    </>
  );
}
