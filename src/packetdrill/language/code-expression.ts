/** Expressions of a script's code, by Python's precedence. */
import type { CodeSource } from "./code-source";
import type {
  ArithmeticOperator,
  CodeExpression,
  CodeValue,
  ComparisonOperator,
  UnaryOperator,
} from "./code-syntax";
import { type CodeToken, tokenize } from "./code-tokens";

const literals: Readonly<Record<string, CodeValue>> = { True: true, False: false, None: null };

/** From loose to tight. */
const binaryLevels: readonly (readonly ArithmeticOperator[])[] = [
  ["|"],
  ["^"],
  ["&"],
  ["<<", ">>"],
  ["+", "-"],
  ["*", "/", "//", "%"],
];

const comparisons: ReadonlySet<string> = new Set(["==", "!=", "<", "<=", ">", ">="]);
const depthMax = 100;

/** Names that can be no value's. */
const keywords: ReadonlySet<string> = new Set(
  "if elif else and or not in is assert pass lambda for".split(" "),
);

/** A number's text as a value: an integer that needs it is a bigint. */
function toNumber(text: string): number | bigint {
  if (/^(?:0[xXbB].+|\d+)$/.test(text)) {
    const value = BigInt(text.replace(/^0+(?=\d)/, ""));
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
  }
  return Number(text);
}

/** Reads expressions from a list of words; the statements' parser stands on it. */
export class CodeReader {
  readonly source: CodeSource;
  readonly #tokens: readonly CodeToken[];
  #index = 0;
  #depth = 0;

  constructor(source: CodeSource) {
    this.source = source;
    this.#tokens = tokenize(source);
  }

  get token(): CodeToken {
    return this.#tokens[this.#index] as CodeToken;
  }

  get following(): CodeToken {
    return this.#tokens[this.#index + 1] ?? this.token;
  }

  next(): CodeToken {
    const { token } = this;
    if (token.kind !== "end") this.#index++;
    return token;
  }

  atKind(kind: CodeToken["kind"]): boolean {
    return this.token.kind === kind;
  }

  acceptKind(kind: CodeToken["kind"]): boolean {
    const found = this.atKind(kind);
    if (found) this.next();
    return found;
  }

  /** Whether the word is this operator or keyword. */
  at(text: string): boolean {
    const { kind } = this.token;
    return (kind === "operator" || kind === "name") && this.token.text === text;
  }

  accept(text: string): boolean {
    if (!this.at(text)) return false;
    this.next();
    return true;
  }

  failExpected(expected: string): never {
    const { kind, text, start } = this.token;
    const found =
      kind === "end" ? "the end of the code" : text === "" ? "the line's end" : `“${text}”`;
    return this.source.fail("syntax", start, `expected ${expected}, found ${found}`);
  }

  expect(text: string, what = ""): void {
    if (!this.accept(text)) this.failExpected(`“${text}”${what === "" ? "" : ` ${what}`}`);
  }

  expression(): CodeExpression {
    if (++this.#depth > depthMax) this.source.fail("syntax", this.token.start, "nested too deeply");
    const whenTrue = this.#or();
    let result = whenTrue;
    if (this.accept("if")) {
      const condition = this.#or();
      this.expect("else", "of a conditional expression");
      const whenFalse = this.expression();
      const { start } = whenTrue;
      result = { kind: "conditional", condition, whenTrue, whenFalse, start, end: whenFalse.end };
    }
    this.#depth--;
    return result;
  }

  #or(): CodeExpression {
    let left = this.#and();
    while (this.accept("or")) {
      const right = this.#and();
      left = { kind: "or", left, right, start: left.start, end: right.end };
    }
    return left;
  }

  #and(): CodeExpression {
    let left = this.#not();
    while (this.accept("and")) {
      const right = this.#not();
      left = { kind: "and", left, right, start: left.start, end: right.end };
    }
    return left;
  }

  #not(): CodeExpression {
    const { start } = this.token;
    let count = 0;
    while (this.accept("not")) count++;
    let operand = this.#comparison();
    for (; count > 0; count--) {
      operand = { kind: "unary", operator: "not", operand, start, end: operand.end };
    }
    return operand;
  }

  #comparisonOperator(): ComparisonOperator | undefined {
    const { token } = this;
    if (token.kind === "operator" && comparisons.has(token.text)) {
      return this.next().text as ComparisonOperator;
    }
    if (this.accept("in")) return "in";
    if (this.at("not") && this.following.text === "in") {
      this.next();
      this.next();
      return "not in";
    }
    if (this.accept("is")) return this.accept("not") ? "is not" : "is";
    return undefined;
  }

  #comparison(): CodeExpression {
    const operands = [this.#binary(0)];
    const operators: ComparisonOperator[] = [];
    for (;;) {
      const operator = this.#comparisonOperator();
      if (operator === undefined) break;
      operators.push(operator);
      operands.push(this.#binary(0));
    }
    const first = operands[0] as CodeExpression;
    if (operators.length === 0) return first;
    const { end } = operands.at(-1) as CodeExpression;
    return { kind: "comparison", operators, operands, start: first.start, end };
  }

  #binary(level: number): CodeExpression {
    const operators = binaryLevels[level];
    if (operators === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    for (;;) {
      const operator = operators.find((candidate) => this.at(candidate));
      if (operator === undefined) return left;
      this.next();
      const right = this.#binary(level + 1);
      left = { kind: "arithmetic", operator, left, right, start: left.start, end: right.end };
    }
  }

  #unary(): CodeExpression {
    const operators: CodeToken[] = [];
    while (this.at("-") || this.at("+") || this.at("~")) operators.push(this.next());
    let operand = this.#power();
    for (const { text, start } of operators.reverse()) {
      operand = {
        kind: "unary",
        operator: text as UnaryOperator,
        operand,
        start,
        end: operand.end,
      };
    }
    return operand;
  }

  /** Binds tighter than a sign on its left, looser than one on its right. */
  #power(): CodeExpression {
    const left = this.#postfix();
    if (!this.accept("**")) return left;
    if (++this.#depth > depthMax) this.source.fail("syntax", this.token.start, "nested too deeply");
    const right = this.#unary();
    this.#depth--;
    return { kind: "arithmetic", operator: "**", left, right, start: left.start, end: right.end };
  }

  #postfix(): CodeExpression {
    let value = this.#atom();
    while (this.accept("[")) {
      const index = this.expression();
      const { end } = this.token;
      this.expect("]", "behind the index");
      value = { kind: "index", list: value, index, start: value.start, end };
    }
    return value;
  }

  /** Expressions up to `close`, which is consumed. */
  #list(close: string): { items: CodeExpression[]; end: number; comma: boolean } {
    const items: CodeExpression[] = [];
    let comma = false;
    while (!this.at(close)) {
      items.push(this.expression());
      if (!this.at(close)) comma = true;
      if (!this.accept(",")) break;
    }
    const { end } = this.token;
    this.expect(close, items.length === 0 ? "" : "or “,” and one more");
    return { items, end, comma };
  }

  #atom(): CodeExpression {
    const { token } = this;
    const { start, end } = token;
    if (this.accept("(")) {
      const list = this.#list(")");
      const [only] = list.items;
      // Brackets stay part of the expression's text, so that a message shows them.
      if (only !== undefined && !list.comma) return { ...only, start, end: list.end };
      return { kind: "list", items: list.items, start, end: list.end };
    }
    if (this.accept("[")) {
      const list = this.#list("]");
      return { kind: "list", items: list.items, start, end: list.end };
    }
    if (token.kind === "number") {
      this.next();
      return { kind: "literal", value: toNumber(token.text), start, end };
    }
    if (token.kind === "string") return this.#string();
    if (token.kind === "name" && !keywords.has(token.text)) return this.#name();
    return this.failExpected("an expression");
  }

  /** Strings next to each other are one. */
  #string(): CodeExpression {
    const { start } = this.token;
    let { end } = this.token;
    let value = "";
    while (this.token.kind === "string") {
      ({ end } = this.token);
      value += this.next().text;
    }
    return { kind: "literal", value, start, end };
  }

  #name(): CodeExpression {
    const { text: name, start, end } = this.next();
    if (Object.hasOwn(literals, name)) {
      return { kind: "literal", value: literals[name] as CodeValue, start, end };
    }
    if (!this.accept("(")) return { kind: "name", name, start, end };
    const list = this.#list(")");
    return { kind: "call", name, arguments: list.items, start, end: list.end };
  }
}
