// Drawings of poses: one figure for each category.

import type { Category } from "./api";

// Each figure is a head (x, y) and lines on a field of 100 by 100. The ground is at 90.
const FIGURES: Record<Category, { head: [number, number]; lines: string }> = {
  STANDING: { head: [42, 24], lines: "M42 34 L44 58 M44 58 L68 90 M44 58 L26 70 L26 90 M20 42 L42 40 L70 42" },
  BALANCING: { head: [50, 24], lines: "M50 34 L50 60 M50 60 L50 90 M50 60 L66 68 L52 74 M50 40 L40 24 L50 8 L60 24 L50 40" },
  ARM_BALANCE: { head: [26, 56], lines: "M34 58 L62 48 M36 58 L36 74 L34 90 M62 48 L44 62 L64 66 L78 54" },
  SEATED: { head: [50, 28], lines: "M50 38 L50 74 M50 74 L26 82 L54 88 M50 74 L74 82 L46 88 M50 46 L34 62 L30 78 M50 46 L66 62 L70 78" },
  FORWARD_BEND: { head: [36, 76], lines: "M58 44 L58 90 M58 44 Q44 46 40 68 M44 58 L38 88 L46 90" },
  BACKBEND: { head: [24, 74], lines: "M30 80 Q42 46 64 56 M64 56 L76 66 L74 90 M34 82 L56 88 L74 88" },
  TWIST: { head: [50, 28], lines: "M50 38 L48 74 M48 74 L22 84 L50 88 M48 74 L62 58 L66 88 M50 48 L70 56 L72 74 M50 48 L32 62 L30 86" },
  INVERSION: { head: [33, 72], lines: "M26 62 L52 38 M52 38 L78 90 M28 64 L14 90 M78 90 L86 90" },
  CORE: { head: [20, 56], lines: "M28 60 L56 68 M56 68 L90 88 M30 61 L30 88" },
  RESTORATIVE: { head: [24, 80], lines: "M34 82 Q48 62 66 74 M66 74 L44 88 L80 88 M38 82 L18 89" },
};

export function Figure({ category, label }: { category: Category; label?: string }) {
  const { head, lines } = FIGURES[category];
  return (
    <svg className={`figure ${category.toLowerCase()}`} viewBox="0 0 100 100" role={label ? "img" : "presentation"} aria-label={label}>
      <circle className="sun" cx="50" cy="50" r="44" />
      <path className="ground" d="M12 92 H88" />
      <path className="body" d={lines} />
      <circle className="head" cx={head[0]} cy={head[1]} r="7" />
    </svg>
  );
}
