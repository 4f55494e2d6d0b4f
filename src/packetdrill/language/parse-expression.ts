/** Arguments and results of system calls. */
import { constants } from "./constants";
import type { Lexer } from "./lexer";
import { isIpv4, isIpv6, parseMplsLabels } from "./parse-ip";
import type { Expression, Field } from "./script";
import { memberNames, structureType } from "./structures";
import { unknownName } from "./suggest";

type Address = "ipv4" | "ipv6" | undefined;

/** Functions that may stand in an argument, and the kind of address they take. */
const functions: Readonly<Record<string, Address>> = {
  htons: undefined,
  htonl: undefined,
  ntohs: undefined,
  ntohl: undefined,
  inet_addr: "ipv4",
  inet6_addr: "ipv6",
  inet_pton: undefined,
};

/** Structures nest five deep at most in any call there is. */
const depthMax = 16;

function toInteger(value: bigint): Expression {
  const small =
    value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= -BigInt(Number.MAX_SAFE_INTEGER);
  return { kind: "integer", value: small ? Number(value) : value };
}

function parseString(lexer: Lexer): Expression {
  let value = lexer.string();
  if (lexer.accept("...")) return { kind: "string", value, open: true };
  while (lexer.looksAtString()) value += lexer.string();
  return { kind: "string", value, open: lexer.accept("...") };
}

function parseList(lexer: Lexer, close: string, depth: number): Expression[] {
  const items: Expression[] = [];
  if (lexer.accept(close)) return items;
  do items.push(parseExpression(lexer, depth));
  while (lexer.accept(","));
  lexer.expect(close, "or “,” and one more");
  return items;
}

function parseFunction(lexer: Lexer, name: string, start: number, depth: number): Expression {
  if (!Object.hasOwn(functions, name)) {
    lexer.fail(unknownName("function", name, Object.keys(functions)), start);
  }
  const inside = lexer.mark();
  const list = parseList(lexer, ")", depth);
  const wanted = name === "inet_pton" ? 2 : 1;
  if (list.length !== wanted) {
    lexer.fail(`${name} takes ${wanted === 1 ? "one argument" : "two arguments"}`, inside);
  }
  const [argument] = list;
  const kind = functions[name];
  if (kind !== undefined && argument?.kind === "string") {
    const valid = kind === "ipv4" ? isIpv4(argument.value) : isIpv6(argument.value);
    const what = kind === "ipv4" ? "an IPv4 address" : "an IPv6 address";
    if (!valid) lexer.fail(`“${argument.value}” is not ${what}`, inside);
  }
  return { kind: "call", name, arguments: list };
}

function parseField(lexer: Lexer, depth: number): Field {
  if (!lexer.looksAtPattern(/[A-Za-z_]\w*\s*(?:\([^()]*\)\s*)?=/y)) {
    return { value: parseExpression(lexer, depth) };
  }
  const start = lexer.mark();
  const name = lexer.peekWord() as string;
  lexer.offset += name.length;
  if (!memberNames.has(name)) {
    lexer.fail(unknownName("member of a structure", name, memberNames), start);
  }
  let size: Expression | undefined;
  if (lexer.accept("(")) {
    size = parseExpression(lexer, depth);
    lexer.expect(")", `behind the size of ${name}`);
  }
  lexer.expect("=", `and the value of ${name}`);
  const value = parseExpression(lexer, depth);
  return size === undefined ? { name, value } : { name, size, value };
}

function parseStructure(lexer: Lexer, depth: number): Expression {
  if (lexer.looksAtPattern(/\(\s*label\b/y)) {
    const labels = parseMplsLabels(lexer);
    lexer.expect("}", "and the end of the labels");
    return { kind: "mpls", labels };
  }
  const fields: Field[] = [];
  if (!lexer.accept("}")) {
    do fields.push(parseField(lexer, depth));
    while (lexer.accept(","));
    lexer.expect("}", "or “,” and the next member");
  }
  return { kind: "structure", type: structureType(fields.map((field) => field.name)), fields };
}

/** A symbol's value where an expression stands. */
function parseSymbol(lexer: Lexer, value: string): Expression {
  if (value.startsWith('"')) return { kind: "string", value: value.slice(1, -1), open: false };
  if (value.startsWith("`")) lexer.fail("this symbol is a command, not a value");
  if (/^-?(?:0[xX][0-9a-fA-F]+|\d+)$/.test(value)) {
    const magnitude = BigInt(value.replace("-", ""));
    return toInteger(value.startsWith("-") ? -magnitude : magnitude);
  }
  return { kind: "name", name: value };
}

function parseName(lexer: Lexer, depth: number): Expression {
  const start = lexer.mark();
  const symbol = lexer.symbol();
  if (symbol !== undefined) {
    const value = parseSymbol(lexer, symbol);
    if (value.kind !== "name" || constants.has(value.name)) return value;
    return lexer.fail(unknownName("constant", value.name, constants.keys()), start);
  }
  const name = lexer.word("an argument");
  // What stands in parentheses behind a constant is a note, not its arguments.
  if (!constants.has(name) && lexer.accept("(")) return parseFunction(lexer, name, start, depth);
  if (lexer.looksAtPattern(/=(?!=)/y)) {
    lexer.accept("=");
    return { kind: "named", name, value: parseExpression(lexer, depth) };
  }
  if (!constants.has(name)) {
    lexer.fail(
      unknownName("constant", name, [...constants.keys(), ...lexer.symbols.keys()]),
      start,
    );
  }
  return { kind: "name", name };
}

function parseOperand(lexer: Lexer, depth: number): Expression {
  if (lexer.accept("...")) return { kind: "ellipsis" };
  if (lexer.looksAtString()) return parseString(lexer);
  if (lexer.accept("[")) return { kind: "list", items: parseList(lexer, "]", depth) };
  if (lexer.accept("{")) return parseStructure(lexer, depth);
  if (lexer.accept("-")) return toInteger(-lexer.bigInteger("a number behind the minus sign"));
  if (lexer.looksAtPattern(/[0-9]/y)) return toInteger(lexer.bigInteger("a number"));
  if (lexer.peekWord() !== undefined) return parseName(lexer, depth);
  return lexer.failExpected("an argument: a number, a name, a string, “...”, “[” or “{”");
}

/** Anything that may be an argument; names must be constants or symbols. */
export function parseExpression(lexer: Lexer, depth = 0): Expression {
  if (depth > depthMax) lexer.fail("structures are nested too deeply");
  const first = parseOperand(lexer, depth + 1);
  if (!lexer.looksAt("|")) return first;
  const operands = [first];
  while (lexer.accept("|")) operands.push(parseOperand(lexer, depth + 1));
  return { kind: "or", operands };
}

/** The arguments of a call in their parentheses. */
export function parseArguments(lexer: Lexer): Expression[] {
  lexer.expect("(", "and the arguments");
  return parseList(lexer, ")", 0);
}
