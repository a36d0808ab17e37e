// read_with_speedscope.js FOLDER FILE: reads a profile by the importers of the package @elg/speedscope, whose release
// is in FOLDER, and prints as JSON what they made of it: [{name, weight, frames: [[name, total, self]]}].
const fs = require('fs'), path = require('path'), vm = require('vm');
const [folder, file] = process.argv.slice(2);

// The release is two bundles of modules; what would start the page is cut from the end of the first.
const page = {console: {...console, log() {}}, TextDecoder, TextEncoder, setTimeout, atob};
page.window = page.self = page;
vm.createContext(page);
for (const bundle of ['speedscope', 'import']) {
    const name = fs.readdirSync(folder).find(n => n.startsWith(bundle + '.') && n.endsWith('.js'));
    const text = fs.readFileSync(path.join(folder, name), 'utf8');
    vm.runInContext(text.replace(/\},\{\},\[[^\]]*\], ?null\)\s*(\/\/.*)?\s*$/, '},{},[],null)'), page);
}
const modules = page.parcelRequire.modules;
const importer = page.parcelRequire(Object.keys(modules).find(id => /importProfileGroupFromText=/.test(modules[id][0])));
importer.importProfileGroupFromText(path.basename(file), fs.readFileSync(file, 'utf8')).then(group => {
    const profiles = group.profiles.map(profile => {
        const frames = [];
        profile.forEachFrame(f => frames.push([f.name, f.getTotalWeight(), f.getSelfWeight()]));
        return {name: profile.getName(), weight: profile.getTotalWeight(), frames};
    });
    fs.writeSync(1, JSON.stringify(profiles));
    process.exit(0);
});
