// Tests are compiled JavaScript, and tap's loader for TypeScript costs each test file more than a second of CPU. It looks at this variable,
// which tap itself sets to 0 below Node 22.
process.env.TAP_TYPE_STRIP_ONLY = '1'
