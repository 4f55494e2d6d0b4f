/** Elements from names, attributes and children. Text is only ever text: no string becomes markup. */

type Child = Node | string | number | undefined | false;
type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  return filled(document.createElement(tag), attributes, children);
}

/** Of an element that the parser made, so that no address has to stand here. */
const svgNamespace = ((): string | null => {
  const template = document.createElement("template");
  template.innerHTML = "<svg></svg>";
  return template.content.firstElementChild?.namespaceURI ?? null;
})();

export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Tag] {
  const made = document.createElementNS(svgNamespace, tag) as SVGElementTagNameMap[Tag];
  return filled(made, attributes, children);
}

function filled<Made extends Element>(
  made: Made,
  attributes: Attributes,
  children: readonly Child[],
): Made {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    made.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) {
    if (child === undefined || child === false) continue;
    made.append(typeof child === "number" ? String(child) : child);
  }
  return made;
}

/** A titled card. */
export function section(title: string, ...children: readonly Child[]): HTMLElement {
  return element("section", {}, element("h2", {}, title), ...children);
}

/** A table; numbers are set to the right. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number | Node)[])[],
): HTMLElement {
  const cell = (value: string | number | Node) =>
    element("td", { class: typeof value === "number" ? "number" : undefined }, format(value));
  const numeric = (index: number) => typeof rows[0]?.[index] === "number";
  return element(
    "div",
    { class: "scroll" },
    element(
      "table",
      { class: "data" },
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          ...head.map((text, index) =>
            element("th", { scope: "col", class: numeric(index) && "number" }, text),
          ),
        ),
      ),
      element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map(cell)))),
    ),
  );
}

function format(value: string | number | Node): Child {
  return typeof value === "number" ? value.toLocaleString("en") : value;
}

/** A line of text with a button that copies it. */
export function copyable(text: string): HTMLElement {
  const button = element("button", { type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text).then(
      () => button.replaceChildren("Copied"),
      () => button.replaceChildren("Select it"),
    );
    setTimeout(() => button.replaceChildren("Copy"), 1500);
  });
  return element("div", { class: "copyable" }, element("code", { tabindex: 0 }, text), button);
}

/** A labelled choice of one of `names`, with buttons to the one before and after. */
export function selector(
  label: string,
  names: readonly string[],
  start: number,
  chosen: (index: number) => void,
): HTMLElement {
  const select = element("select", { "aria-label": label });
  names.forEach((name, index) => {
    select.append(element("option", { value: index }, name));
  });
  select.value = String(start);
  select.addEventListener("change", () => chosen(Number(select.value)));
  const step = (text: string, title: string, by: number) => {
    const button = element("button", { type: "button", title, "aria-label": title }, text);
    button.addEventListener("click", () => {
      select.value = String((Number(select.value) + by + names.length) % names.length);
      chosen(Number(select.value));
    });
    return button;
  };
  const alone = names.length === 1;
  return element(
    "div",
    { class: "selector" },
    element("span", { class: "muted" }, label),
    alone ? names[0] : select,
    !alone && step("‹", `previous ${label.toLowerCase()}`, -1),
    !alone && step("›", `next ${label.toLowerCase()}`, 1),
  );
}
