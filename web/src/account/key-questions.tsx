// The questions before an API key is rotated or revoked.

import { useState } from "preact/hooks";
import { language, text } from "../i18n";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Select } from "../ui/field";

const HOUR = 3600;
const OVERLAPS: [seconds: number, count: number, unit: "hour" | "day"][] = [
  [HOUR, 1, "hour"], [24 * HOUR, 1, "day"], [7 * 24 * HOUR, 7, "day"],
];

const duration = (count: number, unit: "hour" | "day") =>
  new Intl.NumberFormat(language(), { style: "unit", unit, unitDisplay: "long" }).format(count);

interface RotateProps {
  name: string;
  onRotate: (overlapSeconds: number) => void;
  onClose: () => void;
}

export function RotateQuestion({ name, onRotate, onClose }: RotateProps) {
  const t = text();
  const [overlap, setOverlap] = useState(HOUR);
  return (
    <Dialog title={t.keys.rotateTitle(name)} onClose={onClose}>
      <p class="lead">{t.keys.rotateLead}</p>
      <Select
        name="overlap"
        label={t.keys.overlap}
        options={[...OVERLAPS.map(([seconds, count, unit]): [string, string] => [String(seconds), duration(count, unit)]), ["0", t.keys.noOverlap]]}
        value={String(overlap)}
        onChange={(value) => setOverlap(Number(value))}
        autofocus
      />
      <div class="actions">
        <Button onClick={() => onRotate(overlap)}>{t.keys.rotate}</Button>
        <Button kind="quiet" onClick={onClose}>
          {t.cancel}
        </Button>
      </div>
    </Dialog>
  );
}

export function RevokeQuestion({ name, onRevoke, onClose }: { name: string; onRevoke: () => void; onClose: () => void }) {
  const t = text();
  return (
    <Dialog title={t.keys.revokeTitle(name)} onClose={onClose}>
      <p class="lead">{t.keys.revokeLead}</p>
      <div class="actions">
        <Button kind="danger" onClick={onRevoke}>
          {t.keys.revoke}
        </Button>
        <Button kind="quiet" onClick={onClose} autofocus>
          {t.cancel}
        </Button>
      </div>
    </Dialog>
  );
}
