import neostandard from 'neostandard'

/** Who may import what (CONTRIBUTING.md, "The tree"). @param typesOnly folders of which a type may be had, and nothing that runs */
const layer = (folder, forbidden, typesOnly = []) => ({
  files: [`${folder}/**/*.ts`],
  rules: {
    'no-restricted-imports': ['error', {
      patterns: [
        { regex: `^(\\.\\./)+(${forbidden.join('|')})/`, message: `${folder}/ imports nothing of it: CONTRIBUTING.md, "The tree"` },
        ...typesOnly.map(other => ({ regex: `^(\\.\\./)+${other}/`, allowTypeImports: true, message: `${folder}/ imports only types of it: CONTRIBUTING.md, "The tree"` }))
      ]
    }]
  }
})

export default [
  ...neostandard({ ts: true, ignores: ['dist', 'node_modules', 'results', '.tap'] }),
  {
    files: ['**/*.ts'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/ban-ts-comment': 'error'
    }
  },
  layer('bench', ['policies', 'models']),
  layer('harness', ['gateway', 'bench'], ['policies']),
  layer('gateway', ['harness', 'bench']),
  layer('policies', ['gateway', 'harness', 'models', 'bench']),
  layer('models', ['gateway', 'harness', 'policies', 'bench'])
]
