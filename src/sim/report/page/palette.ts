/**
 * The colours of every plot, once. They are Okabe and Ito's, which people with any kind of colour
 * blindness tell apart, lightened or darkened for contrast with the background.
 */

export interface Palette {
  readonly background: string;
  readonly text: string;
  readonly muted: string;
  readonly grid: string;
  readonly blue: string;
  readonly sky: string;
  readonly green: string;
  readonly orange: string;
  readonly vermilion: string;
  readonly purple: string;
  readonly grey: string;
}

const light: Palette = {
  background: "#ffffff",
  text: "#1b1f24",
  muted: "#59636e",
  grid: "#e4e7eb",
  blue: "#0072b2",
  sky: "#3b9bd1",
  green: "#00815d",
  orange: "#c98500",
  vermilion: "#d04f00",
  purple: "#b0558a",
  grey: "#8a939d",
};

const dark: Palette = {
  background: "#161b22",
  text: "#e6e9ed",
  muted: "#9aa5b1",
  grid: "#2a313a",
  blue: "#4aa8e0",
  sky: "#7cc7f2",
  green: "#2fc196",
  orange: "#f0b32e",
  vermilion: "#ff7f3f",
  purple: "#dd92bd",
  grey: "#7c8794",
};

const darkScheme = matchMedia("(prefers-color-scheme: dark)");
let isPrinting = false;

/** Of the present theme; paper is light. */
export function palette(): Palette {
  return darkScheme.matches && !isPrinting ? dark : light;
}

/** Writes the colours to CSS variables, `--blue`. */
export function applyPalette(): void {
  for (const [name, value] of Object.entries(palette())) {
    document.documentElement.style.setProperty(`--${name}`, value);
  }
}

/** Calls `changed` with every change of theme, and around printing. */
export function onThemeChange(changed: () => void): void {
  const print = (printing: boolean) => () => {
    isPrinting = printing;
    changed();
  };
  darkScheme.addEventListener("change", () => changed());
  addEventListener("beforeprint", print(true));
  addEventListener("afterprint", print(false));
}
