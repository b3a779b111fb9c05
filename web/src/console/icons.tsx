// Icons of the console, drawn with lines of the current colour.

const paths = {
  overview: "M3 17h14M5.5 14v-3M10 14V6M14.5 14V9",
  people: "M8 9.5a2.75 2.75 0 1 0 0-5.5 2.75 2.75 0 0 0 0 5.5ZM2.75 16c.5-2.5 2.6-4 5.25-4s4.75 1.5 5.25 4M13 9.25a2.5 2.5 0 0 0 0-4.9M15 12.4c1.3.6 2 1.8 2.25 3.6",
  audit: "M5.5 2.75h6l3.5 3.5v11h-9.5zM11.25 2.75V6.5H15M8 10h4.5M8 13.25h4.5",
  search: "M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11ZM13 13l4 4",
  up: "m6 11.5 4-4 4 4",
  down: "m6 8.5 4 4 4-4",
};

export function Icon({ name }: { name: keyof typeof paths }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
      <path d={paths[name]} fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}
