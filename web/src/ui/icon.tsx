// Icons of the account, drawn with lines of the current colour.

const paths = {
  profile: "M10 9.5a3.25 3.25 0 1 0 0-6.5 3.25 3.25 0 0 0 0 6.5ZM3.75 17c.6-3 3.1-4.75 6.25-4.75S15.65 14 16.25 17",
  security: "M10 2.5 4 5v4.5c0 3.75 2.5 6.75 6 8 3.5-1.25 6-4.25 6-8V5l-6-2.5ZM7.5 10l1.75 1.75L12.75 8.25",
  keys: "M12.75 12a4 4 0 1 0-3.87-3L3 14.87V17h2.5v-1.75h1.75V13.5H9l1.13-1.13c.77.4 1.67.63 2.62.63ZM13.5 6.5h.01",
  data: "M10 7.5c3.45 0 6.25-1.12 6.25-2.5S13.45 2.5 10 2.5 3.75 3.62 3.75 5 6.55 7.5 10 7.5ZM3.75 5v10c0 1.38 2.8 2.5 6.25 2.5s6.25-1.12 6.25-2.5V5M3.75 10c0 1.38 2.8 2.5 6.25 2.5s6.25-1.12 6.25-2.5",
};

export function Icon({ name }: { name: keyof typeof paths }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
      <path d={paths[name]} fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}
