// Reads pages as networks do, with a library that chat programs use, and prints what it found as one JSON object:
// node read.mjs http://127.0.0.1:8000/ http://127.0.0.1:8000/stories …
import { unfurl } from "unfurl.js";

const found = {};
for (const address of process.argv.slice(2)) {
  try {
    found[address] = await unfurl(address, { timeout: 20_000 });
  } catch (problem) {
    found[address] = { problem: String(problem.message || problem), info: problem.info };
  }
}
console.log(JSON.stringify(found));
