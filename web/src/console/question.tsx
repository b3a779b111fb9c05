// A question before an action: what will happen, what it needs to know, and a button that does it. The dialog stays
// open until the action succeeds, so that nothing typed is lost.

import type { ComponentChildren } from "preact";
import { useAction } from "../account/part";
import { text } from "../i18n";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { FormError } from "../ui/field";
import type { Form, Problem } from "../ui/form";
import { SubmitForm } from "../ui/submit-form";

interface Props {
  title: string;
  lead?: ComponentChildren;
  /** What will happen, one sentence each. */
  effects?: string[];
  submit: string;
  danger?: boolean;
  /** The field for problems of the server that name no field. */
  main?: string;
  children?: (form: Form) => ComponentChildren;
  onSubmit: () => Promise<Problem | void>;
  onClose: () => void;
}

export function Question({ title, lead, effects = [], submit, danger, main, children, onSubmit, onClose }: Props) {
  const form = useAction(main);
  return (
    <Dialog title={title} onClose={onClose}>
      <SubmitForm onSubmit={() => form.act(onSubmit)}>
        {lead && <p class="lead">{lead}</p>}
        {effects.length > 0 && (
          <ul class="effects">
            {effects.map((effect) => (
              <li key={effect}>{effect}</li>
            ))}
          </ul>
        )}
        {children?.(form)}
        <FormError form={form} />
        <div class="actions">
          <Button type="submit" kind={danger ? "danger" : "primary"} busy={form.busy} until={form.until} label={submit}>
            {submit}
          </Button>
          {/* Without a field, the safe answer has the focus. */}
          <Button kind="quiet" onClick={onClose} autofocus={!children}>
            {text().cancel}
          </Button>
        </div>
      </SubmitForm>
    </Dialog>
  );
}
