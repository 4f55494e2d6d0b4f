/** bun build/schema.ts: prints config/schema.json, which editors complete and check with. */
import { jsonSchemaText } from "../src/config/schema";
import { writeWhole } from "./output";

process.chdir(new URL("..", import.meta.url).pathname);
writeWhole("config/schema.json", jsonSchemaText());
