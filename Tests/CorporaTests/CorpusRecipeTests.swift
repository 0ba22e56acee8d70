import Corpora
import Host
import Testing

struct CorpusRecipeTests {
  static let good = """
    name: test
    image: {height: 65, width: 65}
    sources:
      - name: a
        files: ["*.png"]
        labels: [{name: kind, constant: x}]
    """

  @Test func defaultsAreWrittenOutAndReadBack() throws {
    let recipe = try CorpusRecipe(yaml: Self.good)
    #expect(recipe.split == SplitRule())
    #expect(recipe.sources[0].run == .recorded)
    #expect(recipe.warnings.isEmpty)
    let text = String(decoding: try recipe.yaml(), as: UTF8.self)
    #expect(text.contains("minimumCoverage"))
    #expect(try CorpusRecipe(yaml: text) == recipe)
    #expect(try CorpusRecipe(yaml: text).yaml() == recipe.yaml())
  }

  @Test func everyOptionSurvivesTheRoundTrip() throws {
    let recipe = try CorpusRecipe(
      yaml: """
        name: all
        seed: 18446744073709551615
        image: {height: 33, width: 64}
        tone: {map: asinh, scale: 2.5, offset: 10}
        split: {by: frame, allowFrameSplit: true, train: 1, validation: 0, test: 0, allowEmpty: true, runs: {test: ["x:1"]}}
        minimumCoverage: 0.25
        imagesPerShard: 7
        sources:
          - name: a
            files: [one, two]
            dataset: /d
            key: k
            source: Cspad
            detector: cspad
            commonMode: histogram
            calibration: calib
            view: panels
            fit: crop
            experiment: {folder: 2}
            run: {blockOf: 10}
            crop: {rows: [1, 5], columns: [2, 9]}
            nonFinite: mask
            every: 3
            limit: 9
            tone: {map: log, perImage: true}
            labels:
              - {name: t, table: {file: l.csv, column: c}, values: {"1": on, "-1": drop}, classes: [on], missing: drop}
              - {name: e, thresholds: {scalar: ebeam.L3Energy_MeV, bins: [{name: low, below: 3.5}, {name: high}]}}
              - {name: k, eventCodes: {codes: [{code: 162, name: dark}], otherwise: light}}
              - {name: r, runs: {"69": off, "x:70": on}}
              - {name: f, folder: 1}
              - {name: d, dataset: /label}
        """)
    #expect(try CorpusRecipe(yaml: String(decoding: recipe.yaml(), as: UTF8.self)) == recipe)
    #expect(recipe.seed == .max)
    #expect(recipe.sources[0].run == .block(of: 10))
    #expect(recipe.sources[0].labels[3].origin == .runs(["69": "off", "x:70": "on"]))
    #expect(recipe.warnings.count == 4)
  }

  /// A change of the good recipe -> the place that the error names, and a word of it.
  @Test(arguments: [
    ("name: test", "nam: test", "nam", "unknown key"),
    ("height: 65", "heigth: 65", "image.heigth", "unknown key"),
    ("files:", "paths:", "sources.[0].paths", "unknown key"),
    ("constant: x", "constat: x", "sources.[0].labels.[0].constat", "unknown key"),
    ("constant: x", "constant: x, folder: 1", "sources.[0].labels.[0]", "exactly one of"),
    ("constant: x", "constant: x, values: {x: y}, classes: [z]", "sources.[0].labels.[0].values", "x: y"),
    ("height: 65", "height: 0", "image.height", "1 to 8192"),
    ("height: 65", "height: tall", "image.height", "Int"),
    ("name: a", "name: a/b", "sources.[0].name", "letters"),
    ("name: a\n", "name: a\n    every: 0\n", "sources.[0].every", "1 or more"),
    ("name: a\n", "name: a\n    view: assembled\n", "sources.[0].geometry", "geometry file"),
    ("name: a\n", "name: a\n    view: side\n", "sources.[0].view", "assembled, panels, picture"),
    ("name: a\n", "name: a\n    run: often\n", "sources.[0].run", "often"),
    ("name: a\n", "name: a\n    run: {blockof: 3}\n", "sources.[0].run.blockof", "unknown key"),
    ("name: a\n", "name: a\n    crop: {rows: [5, 5], columns: [0, 1]}\n", "sources.[0].crop.rows", "first < end"),
    ("sources:", "split: {train: 0.9}\nsources:", "split", "= 1"),
    ("sources:", "split: {by: frame}\nsources:", "split.by", "allowFrameSplit"),
    ("sources:", "split: {runs: {train: ['a:1'], test: ['a:1']}}\nsources:", "split.runs", "a:1 under"),
    ("sources:", "split: {runs: {training: ['a:1']}}\nsources:", "split.runs", "training"),
    ("sources:", "tone: {map: gamma}\nsources:", "tone.map", "asinh"),
    ("sources:", "tone: {scale: -1}\nsources:", "tone.scale", "positive"),
    ("sources:", "minimumCoverage: 1.5\nsources:", "minimumCoverage", "0 to 1"),
    ("image: {height: 65, width: 65}\n", "", "", "image"),
  ])
  func mistakesNameTheKeyPath(was: String, becomes: String, place: String, word: String) throws {
    let text = Self.good.replacing(was, with: becomes)
    #expect(text != Self.good)
    let error = inputError { _ = try CorpusRecipe(yaml: text, path: "my.yaml") }
    #expect(error?.path == "my.yaml")
    #expect(error?.place == place)
    let said = "\(error?.expected ?? "") \(error?.found ?? "")"
    #expect(said.contains(word))
    #expect(error?.kind == .malformed)
  }

  @Test func unknownKeysNameTheKnownOnes() {
    let error = inputError { _ = try CorpusRecipe(yaml: Self.good + "\nsplt: {}\n") }
    #expect(error?.expected.contains("split") == true)
    #expect(error?.found.contains("splt") == true)
  }

  @Test func evenSizesAreWarnedAbout() throws {
    let recipe = try CorpusRecipe(yaml: Self.good.replacing("height: 65", with: "height: 64"))
    #expect(recipe.warnings.count == 1)
    #expect(recipe.warnings[0].contains("odd"))
  }

  @Test func brokenYAMLIsAnErrorOfTheFile() {
    let error = inputError { _ = try CorpusRecipe(yaml: "name: [", path: "broken.yaml") }
    #expect(error?.path == "broken.yaml")
    #expect(error?.expected == "YAML")
  }
}
