/** AssemblyScript's integer names, so that assembly/layout.ts type-checks as TypeScript too. */
type i32 = number;
type u8 = number;
type u16 = number;
type u32 = number;
type usize = number;
