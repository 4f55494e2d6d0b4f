/**
 * Runs a script's code: assertions over what the stack tells of a connection. It is walked, never
 * handed to the engine, and it has no loops, so that every piece of code ends.
 */
import { show, toText } from "./code-format";
import { codeFunctions } from "./code-functions";
import { arithmetic, compare, isTrue, unary } from "./code-operators";
import { CodeSource } from "./code-source";
import type { CodeExpression, CodeStatement, CodeValue } from "./code-syntax";
import { constants } from "./constants";
import { parseCode } from "./parse-code";
import type { CodeAction } from "./script";
import { ScriptError } from "./script-error";
import { unknownName } from "./suggest";

/** The code of one script, piece after piece: local names live as long as this. */
export class CodeEvaluator {
  readonly #locals = new Map<string, CodeValue>();

  /**
   * Runs one piece with the names that the moment gives, `tcpi_…` above all. Returns the lines that
   * it printed. Throws a `ScriptError` of kind `assertion` where an assertion is false, of kind
   * `evaluation` where the code makes no sense (an unknown name, a division by zero).
   */
  run(action: CodeAction, names: ReadonlyMap<string, CodeValue> = new Map()): string[] {
    const source = new CodeSource(action);
    const run = new CodeRun(source, names, this.#locals);
    run.execute(parseCode(source));
    return run.printed;
  }
}

class CodeRun {
  readonly printed: string[] = [];
  readonly #source: CodeSource;
  readonly #names: ReadonlyMap<string, CodeValue>;
  readonly #locals: Map<string, CodeValue>;

  constructor(
    source: CodeSource,
    names: ReadonlyMap<string, CodeValue>,
    locals: Map<string, CodeValue>,
  ) {
    this.#source = source;
    this.#names = names;
    this.#locals = locals;
  }

  execute(statements: readonly CodeStatement[]): void {
    for (const statement of statements) {
      if (statement.kind === "expression") this.#evaluate(statement.value);
      else if (statement.kind === "assignment") this.#assign(statement);
      else if (statement.kind === "assert") this.#assert(statement);
      else if (statement.kind === "if") {
        const chosen = isTrue(this.#evaluate(statement.condition));
        this.execute(chosen ? statement.whenTrue : statement.whenFalse);
      }
    }
  }

  #assign(statement: CodeStatement & { kind: "assignment" }): void {
    const { name, nameStart, operator, value } = statement;
    if (this.#names.has(name)) {
      this.#source.fail("evaluation", nameStart, `${name} is given by the stack, not to be set`);
    }
    const right = this.#evaluate(value);
    const result =
      operator === undefined
        ? right
        : this.#guard(nameStart, () => arithmetic(operator, this.#lookUp(name, nameStart), right));
    this.#locals.set(name, result);
  }

  #assert({ condition, message }: CodeStatement & { kind: "assert" }): void {
    if (isTrue(this.#evaluate(condition))) return;
    const text = this.#source.slice(condition.start, condition.end);
    const names = [...namesIn(condition)].map((name) => ({ name, value: this.#find(name) }));
    const known = names.filter(({ value }) => value !== undefined);
    const values = known.map(({ name, value }) => `${name} is ${show(value as CodeValue)}`);
    const said = message === undefined ? undefined : this.#evaluate(message);
    // `assert name == 1, name` says nothing that the values do not.
    const repeats = said === undefined || known.some(({ value }) => value === said);
    const reason = [
      `${text} is false`,
      ...(values.length === 0 ? [] : [values.join(", ")]),
      ...(repeats ? [] : [toText(said)]),
    ].join(": ");
    this.#source.fail("assertion", condition.start, reason);
  }

  #find(name: string): CodeValue | undefined {
    if (this.#locals.has(name)) return this.#locals.get(name);
    return this.#names.get(name) ?? constants.get(name);
  }

  #lookUp(name: string, offset: number): CodeValue {
    const value = this.#find(name);
    if (value !== undefined) return value;
    const known = [...this.#locals.keys(), ...this.#names.keys(), ...constants.keys()];
    return this.#source.fail("evaluation", offset, unknownName("name", name, known));
  }

  /** An operator's or a function's complaint, told where it stands. */
  #guard<Value>(offset: number, operation: () => Value): Value {
    try {
      return operation();
    } catch (error) {
      if (error instanceof ScriptError || !(error instanceof Error)) throw error;
      return this.#source.fail("evaluation", offset, error.message);
    }
  }

  #evaluate(expression: CodeExpression): CodeValue {
    switch (expression.kind) {
      case "literal":
        return expression.value;
      case "name":
        return this.#lookUp(expression.name, expression.start);
      case "list":
        return expression.items.map((item) => this.#evaluate(item));
      case "call":
        return this.#call(expression);
      case "index":
        return this.#index(expression);
      case "comparison":
        return this.#compare(expression);
      case "conditional": {
        const chosen = isTrue(this.#evaluate(expression.condition));
        return this.#evaluate(chosen ? expression.whenTrue : expression.whenFalse);
      }
      case "unary": {
        const operand = this.#evaluate(expression.operand);
        return this.#guard(expression.start, () => unary(expression.operator, operand));
      }
      case "arithmetic": {
        const left = this.#evaluate(expression.left);
        const right = this.#evaluate(expression.right);
        return this.#guard(expression.start, () => arithmetic(expression.operator, left, right));
      }
      default: {
        // Like Python's, the value is that of the operand which decided.
        const left = this.#evaluate(expression.left);
        return isTrue(left) === (expression.kind === "or")
          ? left
          : this.#evaluate(expression.right);
      }
    }
  }

  #compare(expression: CodeExpression & { kind: "comparison" }): boolean {
    const [first, ...rest] = expression.operands;
    let left = this.#evaluate(first as CodeExpression);
    for (const [index, operand] of rest.entries()) {
      const right = this.#evaluate(operand);
      const operator = expression.operators[index] as (typeof expression.operators)[number];
      const holds = this.#guard(expression.start, () => compare(operator, left, right));
      if (!holds) return false;
      left = right;
    }
    return true;
  }

  #index({ list, index, start }: CodeExpression & { kind: "index" }): CodeValue {
    const items = this.#evaluate(list);
    const at = this.#evaluate(index);
    if ((typeof items !== "string" && !Array.isArray(items)) || typeof at !== "number") {
      return this.#source.fail("evaluation", start, `${show(items)} has no item ${show(at)}`);
    }
    const item = items.at(at) as CodeValue | undefined;
    const found = at < items.length && at >= -items.length ? item : undefined;
    return found ?? this.#source.fail("evaluation", start, `there is no item ${at}`);
  }

  #call({ name, arguments: list, start }: CodeExpression & { kind: "call" }): CodeValue {
    const values = list.map((argument) => this.#evaluate(argument));
    if (name === "print") {
      this.printed.push(values.map(toText).join(" "));
      return null;
    }
    const called = codeFunctions.get(name);
    if (called === undefined) {
      const known = ["print", ...codeFunctions.keys()];
      return this.#source.fail("evaluation", start, unknownName("function", name, known));
    }
    return this.#guard(start, () => called(values));
  }
}

/** Every name in an expression once, in order. */
function namesIn(expression: CodeExpression, found = new Set<string>()): Set<string> {
  if (expression.kind === "name") found.add(expression.name);
  for (const part of partsOf(expression)) namesIn(part, found);
  return found;
}

function partsOf(expression: CodeExpression): readonly CodeExpression[] {
  switch (expression.kind) {
    case "literal":
    case "name":
      return [];
    case "list":
      return expression.items;
    case "call":
      return expression.arguments;
    case "index":
      return [expression.list, expression.index];
    case "unary":
      return [expression.operand];
    case "comparison":
      return expression.operands;
    case "conditional":
      return [expression.whenTrue, expression.condition, expression.whenFalse];
    default:
      return [expression.left, expression.right];
  }
}
