// Imported first by every script: says what is wrong before newer syntax or a missing function does.
// Must itself load on any Node that has ES modules, and so must what the scripts import beside it.
const wanted = [20, 19]
const found = process.versions.node.split('.').map(Number)

if (found[0] < wanted[0] || (found[0] === wanted[0] && found[1] < wanted[1])) {
  console.error(
    `Caskade needs Node ${wanted.join('.')} or newer; this is Node ${process.versions.node} (${process.execPath}).\n` +
      'Install a current release from https://nodejs.org/, or with nvm: nvm install --lts',
  )
  process.exit(1)
}
