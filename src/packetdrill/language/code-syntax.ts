/** The syntax of a script's code: the part of Python that assertions are written in. */

/** None is null; an integer beyond 53 bits is a bigint. A float is a number like any other. */
export type CodeValue = number | bigint | string | boolean | null | readonly CodeValue[];

export type UnaryOperator = "-" | "+" | "~" | "not";

export type ArithmeticOperator =
  "+" | "-" | "*" | "/" | "//" | "%" | "**" | "&" | "|" | "^" | "<<" | ">>";

export type ComparisonOperator =
  "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in" | "is" | "is not";

/** Offsets into the code, end exclusive. */
interface Span {
  readonly start: number;
  readonly end: number;
}

export type CodeExpression = Span &
  (
    | { readonly kind: "literal"; readonly value: CodeValue }
    | { readonly kind: "name"; readonly name: string }
    | { readonly kind: "list"; readonly items: readonly CodeExpression[] }
    | {
        readonly kind: "call";
        readonly name: string;
        readonly arguments: readonly CodeExpression[];
      }
    | { readonly kind: "index"; readonly list: CodeExpression; readonly index: CodeExpression }
    | {
        readonly kind: "unary";
        readonly operator: UnaryOperator;
        readonly operand: CodeExpression;
      }
    | {
        readonly kind: "arithmetic";
        readonly operator: ArithmeticOperator;
        readonly left: CodeExpression;
        readonly right: CodeExpression;
      }
    /** `a < b <= c`: every operand is evaluated once, from left to right until one is false. */
    | {
        readonly kind: "comparison";
        readonly operators: readonly ComparisonOperator[];
        readonly operands: readonly CodeExpression[];
      }
    | {
        readonly kind: "and" | "or";
        readonly left: CodeExpression;
        readonly right: CodeExpression;
      }
    | {
        readonly kind: "conditional";
        readonly condition: CodeExpression;
        readonly whenTrue: CodeExpression;
        readonly whenFalse: CodeExpression;
      }
  );

export type CodeStatement =
  | { readonly kind: "pass" }
  | { readonly kind: "expression"; readonly value: CodeExpression }
  | {
      readonly kind: "assert";
      readonly condition: CodeExpression;
      readonly message?: CodeExpression;
    }
  /** `name = value`, or `name += value` with the operator. */
  | {
      readonly kind: "assignment";
      readonly name: string;
      readonly nameStart: number;
      readonly operator?: ArithmeticOperator;
      readonly value: CodeExpression;
    }
  | {
      readonly kind: "if";
      readonly condition: CodeExpression;
      readonly whenTrue: readonly CodeStatement[];
      readonly whenFalse: readonly CodeStatement[];
    };
