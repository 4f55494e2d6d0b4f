/** Statements of a script's code: assertions, assignments of local names, `if`. */
import { CodeReader } from "./code-expression";
import type { CodeSource } from "./code-source";
import type { ArithmeticOperator, CodeExpression, CodeStatement } from "./code-syntax";

const assignments: ReadonlySet<string> = new Set(
  ["", "+", "-", "*", "/", "//", "%", "**", "&", "|", "^", "<<", ">>"].map((name) => `${name}=`),
);

/** Words of Python that begin a statement which is not in this subset. */
const refused: ReadonlySet<string> = new Set(
  (
    "for while def class import from return try with global del raise lambda break continue " +
    "async await yield nonlocal match exec"
  ).split(" "),
);

function parseSimple(reader: CodeReader): CodeStatement {
  const { token } = reader;
  if (token.kind === "name" && refused.has(token.text)) {
    reader.source.fail(
      "syntax",
      token.start,
      `“${token.text}” is not part of this language: it knows assert, if, names and expressions`,
    );
  }
  if (reader.accept("pass")) return { kind: "pass" };
  if (reader.accept("assert")) {
    const condition = reader.expression();
    if (!reader.accept(",")) return { kind: "assert", condition };
    return { kind: "assert", condition, message: reader.expression() };
  }
  const { kind, text } = reader.following;
  if (token.kind === "name" && kind === "operator" && assignments.has(text)) {
    reader.next();
    reader.next();
    const target = { kind: "assignment", name: token.text, nameStart: token.start } as const;
    const operator = text.slice(0, -1);
    const value = reader.expression();
    if (operator === "") return { ...target, value };
    return { ...target, operator: operator as ArithmeticOperator, value };
  }
  return { kind: "expression", value: reader.expression() };
}

/** Statements on one line, up to and including its end. */
function parseLine(reader: CodeReader): CodeStatement[] {
  const statements = [parseSimple(reader)];
  while (reader.accept(";")) {
    if (reader.atKind("newline") || reader.atKind("end")) break;
    statements.push(parseSimple(reader));
  }
  if (!reader.acceptKind("newline") && !reader.atKind("end"))
    reader.failExpected("the line's end or “;”");
  return statements;
}

/** What an `if` governs: the rest of its line, or an indented block. */
function parseSuite(reader: CodeReader): CodeStatement[] {
  reader.expect(":", "behind the condition");
  if (!reader.acceptKind("newline")) return parseLine(reader);
  if (!reader.acceptKind("indent")) reader.failExpected("an indented block");
  const statements: CodeStatement[] = [];
  while (!reader.acceptKind("dedent") && !reader.atKind("end")) {
    statements.push(...parseStatement(reader));
  }
  return statements;
}

function parseElse(reader: CodeReader): CodeStatement[] {
  if (reader.accept("elif")) return [parseIf(reader)];
  if (!reader.accept("else")) return [];
  return parseSuite(reader);
}

function parseIf(reader: CodeReader): CodeStatement {
  const condition: CodeExpression = reader.expression();
  const whenTrue = parseSuite(reader);
  return { kind: "if", condition, whenTrue, whenFalse: parseElse(reader) };
}

function parseStatement(reader: CodeReader): CodeStatement[] {
  if (reader.atKind("indent")) {
    reader.source.fail("syntax", reader.token.start, "this line is indented without an “if” above");
  }
  return reader.accept("if") ? [parseIf(reader)] : parseLine(reader);
}

/** All statements; throws a `ScriptError` for what is not in the language. */
export function parseCode(source: CodeSource): CodeStatement[] {
  const reader = new CodeReader(source);
  const statements: CodeStatement[] = [];
  while (!reader.atKind("end")) statements.push(...parseStatement(reader));
  return statements;
}
