import Foundation
import Host
import TestSupport
import Testing
import Training

/// Simulated time-tool runs as a corpus of 33×33 pixels: two runs to train on, one for validation, two for the test.
private struct TimeToolCorpus {
  let scratch = Scratch()
  var folder: String { scratch("corpus") }

  init() throws {
    #expect(try Command.run(["simulate", "timetool", "--runs", "1-5", "--shots", "24", "--darks", "4", "--seed", "3", "--out", scratch("raw"), "--quiet"]).code == 0)
    let raw = scratch("raw")
    try AtomicFile.write(Data("""
      name: tool
      image: {height: 33, width: 33}
      split: {train: 0.4, validation: 0.2, test: 0.4, runs: {train: ["simtimetool:1", "simtimetool:2"], validation: ["simtimetool:3"], test: ["simtimetool:4", "simtimetool:5"]}}
      sources:
        - name: timetool
          files: ["\(raw)/*.xtc"]
          detector: timetool
          calibration: "\(raw)/calib"
          fit: stretch
          tone: {map: asinh, scale: 100}
          labels:
            - {name: beam, table: {file: "\(raw)/truth.csv", column: state}, values: {signal: "on", reference: "on", dark: dark}}
            - {name: edge, table: {file: "\(raw)/truth.csv", column: edge_present}, values: {"1": edge, "0": no edge}}
      """.utf8), to: scratch("corpus.yaml"))
    let built = try Command.run(["build", scratch("corpus.yaml"), "--out", folder, "--quiet"])
    #expect(built.code == 0, "\(built.errors)")
  }

  /// Shots with light of the two test runs, as the simulator tells.
  func testShots() throws -> Int {
    String(decoding: try AtomicFile.read(scratch("raw/truth.csv")), as: UTF8.self).split(separator: "\n").count { line in
      (line.hasPrefix("4,") || line.hasPrefix("5,")) && !line.contains(",dark,")
    }
  }

  /// Two families of two seeds, a few steps each.
  func plan(_ audit: String) throws -> String {
    for (name, task) in [("flip", "{name: flip}"), ("pairs", "{name: simclr, settings: {hidden: 8, outputs: 8}}")] {
      try AtomicFile.write(Data("""
        corpus: \(folder)
        task: \(task)
        exclude: {beam: [dark]}
        backbone: {name: resnet10, settings: {width: 4}}
        schedule: {warmupSteps: 1}
        precision: float32
        batch: 8
        steps: 6
        validateEvery: 6
        """.utf8), to: scratch("\(name).yaml"))
    }
    try AtomicFile.write(Data("""
      corpus: \(folder)
      seeds: [1, 2]
      tasks: [edge]
      labelsPerClass: 4
      draws: 2
      families: [{name: flip, recipe: flip.yaml}, {name: pairs, recipe: pairs.yaml}]
      curves: [{name: both, families: [random, flip, pairs]}]
      \(audit)
      """.utf8), to: scratch("plan.yaml"))
    return scratch("plan.yaml")
  }
}

private let hasGnuplot = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
  FileManager.default.isExecutableFile(atPath: "\($0)/gnuplot")
}

@Suite(
  .serialized, .enabled(if: Command.isBuilt, Comment(rawValue: Command.absence)), .enabled(if: hasGnuplot, "gnuplot is not installed"))
struct StudyCommandTests {
  private func object(_ path: String) throws -> Any { try JSONSerialization.jsonObject(with: AtomicFile.read(path)) }

  /// Train, audit, judge, page: and again, without doing anything twice but what the plan asks anew.
  @Test func aStudyTrainsAuditsJudgesAndReports() throws {
    let corpus = try TimeToolCorpus(), out = corpus.scratch("study")
    let first = try Command.result(["study", try corpus.plan("audit: {examples: 64, plantedSteps: 0}"), "--out", out, "--quiet", "--json"])
    #expect(first.code == 0)
    // What it prints.
    let printed = try #require(try JSONSerialization.jsonObject(with: Data(first.text.utf8)) as? [String: Any])
    let audits = try #require(printed["audits"] as? [[String: Any]])
    #expect(audits.map { $0["family"] as? String } == ["flip", "pairs"])
    for audit in audits {
      #expect(["headline stands", "withheld", "not shown"].contains(audit["standing"] as? String ?? ""))
      #expect(audit["runs"] as? Int == 2 && audit["auditedRuns"] as? Int == 2)
      #expect((audit["reasons"] as? [String])?.isEmpty == false)
      #expect((audit["headline"] == nil) == (audit["standing"] as? String == "withheld"))
    }
    #expect(try (object(out + "/audits.json") as? [[String: Any]])?.count == 2)
    // Stage by stage for every family, random beside.
    let transfer = try #require(try object(out + "/transfer-few.json") as? [String: Any]), rows = try #require(transfer["rows"] as? [[String: Any]])
    let stages = Dictionary(grouping: rows) { $0["family"] as? String ?? "" }.mapValues { Set($0.compactMap { $0["stage"] as? String }) }
    #expect(stages.keys.sorted() == ["flip", "pairs", "random"] && stages.values.allSatisfy { $0.count >= 4 && $0 == stages["random"] })
    let shots = try corpus.testShots()
    for row in rows {
      let test = try #require(row["test"] as? [String: Any])
      #expect((0...1).contains(test["value"] as? Double ?? -1) && (test["seeds"] as? [Int])?.count == 2)
      #expect(test["count"] as? Int == shots)
    }
    // The page.
    let page = String(decoding: try AtomicFile.read(out + "/report-few.html"), as: UTF8.self)
    #expect(page.contains("Is the accuracy in the own task content?") && page.contains("<svg") && page.contains("pairs (contrastive)"))
    #expect(!page.contains("not audited") && audits.allSatisfy { page.contains($0["standing"] as? String ?? "?") })

    func written(_ name: String) throws -> [Date?] {
      try ["flip-1", "flip-2", "pairs-1", "pairs-2"].map {
        try FileManager.default.attributesOfItem(atPath: "\(out)/runs/\($0)/\(name)")[.modificationDate] as? Date
      }
    }
    let (runs, kept, scores) = (try written("last.safetensors"), try written("audit.json"), try AtomicFile.read(out + "/transfer-few.json"))
    let again = try Command.result(["study", corpus.scratch("plan.yaml"), "--out", out, "--quiet"])
    #expect(again.code == 0 && again.text.contains("is the accuracy in the own task content?") && again.text.contains("pairs"))
    #expect(try written("last.safetensors") == runs && written("audit.json") == kept && AtomicFile.read(out + "/transfer-few.json") == scores)
    // More examples are another audit of the same runs.
    #expect(try Command.run(["study", try corpus.plan("audit: {examples: 80, plantedSteps: 0}"), "--out", out, "--quiet"]).code == 0)
    #expect(try written("last.safetensors") == runs && zip(written("audit.json"), kept).allSatisfy { $0 != $1 })
  }

  /// A plan that asks for no audit gets none, and the page says so of every family.
  @Test func aStudyWithoutAuditsSaysSo() throws {
    let corpus = try TimeToolCorpus(), out = corpus.scratch("study")
    let plain = try Command.result(["study", try corpus.plan("audit: {examples: 0}"), "--out", out, "--quiet", "--json", "--seed", "2"])
    #expect(plain.code == 0)
    let printed = try #require(try JSONSerialization.jsonObject(with: Data(plain.text.utf8)) as? [String: Any])
    #expect((printed["audits"] as? [[String: Any]])?.map { $0["standing"] as? String } == ["not audited", "not audited"])
    #expect(!FileManager.default.fileExists(atPath: out + "/runs/flip-2/audit.json"))
    #expect(String(decoding: try AtomicFile.read(out + "/report-few-seed2.html"), as: UTF8.self).contains("not audited"))
  }
}

@Suite(.serialized, .enabled(if: Command.isBuilt, Comment(rawValue: Command.absence)))
struct PretrainAuditCommandTests {
  /// A bright corner answers every flip: the accuracy is withheld where a run would print it, and no figure of it is printed.
  @Test func aWithheldAccuracyIsNotPrinted() throws {
    let tiny = try TinyCorpus(), path = tiny.folder + "/r.json"
    try AtomicFile.write(CanonicalJSON.data(tiny.recipe { ($0.steps, $0.validateEvery) = (40, 20) }), to: path)
    let run = try Command.result(["pretrain", path, "--out", tiny.folder + "/run", "--quiet"])
    #expect(run.code == 0 && run.text.contains("accuracy withheld") && run.text.contains("WITHHELD: ") && run.text.contains("mean image"))
    #expect(run.text.firstMatch(of: /accuracy [01]\.\d/) == nil, "\(run.text)")
    // Nobody can own up to it.
    let owning = tiny.recipe {
      ($0.steps, $0.validateEvery) = (40, 20)
      $0.owns = ["mean image"]
    }
    try AtomicFile.write(CanonicalJSON.data(owning), to: path)
    let refused = try Command.run(["pretrain", path, "--out", tiny.folder + "/open", "--quiet"])
    #expect(refused.code == 65 && refused.errors.contains("owns") && refused.errors.contains("a control that is answered withholds"))
    #expect(!FileManager.default.fileExists(atPath: tiny.folder + "/open/last.safetensors"))
    // Without an audit there is no one to withhold it.
    try AtomicFile.write(CanonicalJSON.data(tiny.recipe { ($0.steps, $0.validateEvery) = (40, 20) }), to: path)
    let open = try Command.result(["pretrain", path, "--out", tiny.folder + "/open", "--quiet", "--no-audit"])
    #expect(open.code == 0 && open.text.firstMatch(of: /accuracy [01]\.\d+, not audited/) != nil && !open.text.contains("accuracy withheld"))
    // Where an audit has withheld it, it stays withheld.
    let again = try Command.result(["pretrain", path, "--out", tiny.folder + "/run", "--quiet", "--no-audit"])
    #expect(again.code == 0 && again.text.contains("accuracy withheld") && again.text.contains("WITHHELD: "))
  }

  /// What programs read says how the accuracy stands, and has none where it is withheld.
  @Test func jsonOfARunTellsWhereItsAccuracyStands() throws {
    let tiny = try TinyCorpus(), path = tiny.folder + "/r.json"
    try AtomicFile.write(CanonicalJSON.data(tiny.recipe { ($0.steps, $0.validateEvery) = (40, 20) }), to: path)
    func printed(_ more: String...) throws -> [String: Any] {
      let run = try Command.result(["pretrain", path, "--out", tiny.folder + "/run", "--quiet", "--json"] + more)
      #expect(run.code == 0)
      return try #require(try JSONSerialization.jsonObject(with: Data(run.text.utf8)) as? [String: Any])
    }
    let withheld = try printed(), metrics = try #require(withheld["metrics"] as? [[String: Any]])
    #expect(withheld["audit"] as? String == "withheld" && withheld["ending"] as? String == "finished" && withheld["run"] as? String == tiny.folder + "/run")
    #expect((withheld["reasons"] as? [String])?.contains { $0.contains("mean image") } == true)
    #expect(metrics.count == 4 && metrics.allSatisfy { $0["accuracy"] == nil && $0["loss"] is Double && $0["step"] is Int })
    #expect(try printed("--no-audit")["audit"] as? String == "withheld", "an audit that was made holds")
    try FileManager.default.removeItem(atPath: tiny.folder + "/run/audit.json")
    let unaudited = try printed("--no-audit")
    #expect(unaudited["audit"] as? String == "absent" && (unaudited["metrics"] as? [[String: Any]])?.allSatisfy { $0["accuracy"] is Double } == true)
  }

  /// Of a recipe only the pipeline's steps are audited: options that ask for more are refused, not overlooked.
  @Test func anAuditOfARecipeRefusesWhatNeedsARun() throws {
    let tiny = try TinyCorpus(), path = tiny.folder + "/r.json", page = tiny.folder + "/s.html"
    try AtomicFile.write(CanonicalJSON.data(tiny.recipe()), to: path)
    for more in [["--html", page], ["--twin", tiny.corpus], ["--examples", "80"], ["--split", "train"], ["--planted-steps", "3"]] {
      let run = try Command.run(["audit", "--task", path, "--quiet"] + more)
      #expect(run.code == 64 && run.errors.contains("\(more[0]) goes with run folders"), "\(run.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: page))
    // What comes from an audit or a run is no recipe, and says so.
    #expect(try Command.run(["audit", "--task", path, "--quiet", "--out", tiny.folder + "/table.json"]).code == 0)
    let run = RunFolder(tiny.folder + "/run")
    #expect(try Trainer(tiny.recipe(), folder: run.path).run() == .finished)
    for (file, word) in [(tiny.folder + "/table.json", "an audit"), (run.last, "a checkpoint"), (run.metrics, "the figures of a run")] {
      let refused = try Command.run(["audit", "--task", file, "--quiet"])
      #expect(refused.code == 65 && refused.errors.contains("found \(word); name its run folder"), "\(refused.errors)")
    }
  }

  /// Seen through the recipe's own eyes: the batch of `show`, and the steps of `audit` before anything is trained, have the templates taken out.
  @Test func aProjectedTemplateIsShownAndAudited() throws {
    let tiny = try TinyCorpus()
    let plain = tiny.recipe(), projecting = tiny.recipe { $0.projectsTemplate = true }
    let shown = try LabelledBatch(first: projecting, path: "test"), trained = try Trainer(projecting, folder: tiny.folder + "/run").exampleBatch()
    #expect(shown.fields == trained.fields && shown.answers == trained.answers)
    #expect(try LabelledBatch(first: plain, path: "test").fields["view"] != shown.fields["view"])
    // Templates are of one size: so is the sweep of the step that takes them out.
    func sizes(_ recipe: TrainingRecipe) throws -> Int {
      try AtomicFile.write(CanonicalJSON.data(recipe), to: tiny.folder + "/r.json")
      let run = try Command.run(["audit", "--task", tiny.folder + "/r.json", "--out", tiny.folder + "/table.json", "--quiet"])
      #expect(run.code == 0, "\(run.errors)")
      let table = try #require(try JSONSerialization.jsonObject(with: AtomicFile.read(tiny.folder + "/table.json")) as? [String: Any])
      let row = try #require((table["rows"] as? [[String: Any]])?.first { $0["step"] as? String == "input scaling" || $0["key"] as? String == "input scaling" })
      return Set((row["residuals"] as? [[String: Any]] ?? []).map { "\($0["height"] ?? "")×\($0["width"] ?? "")" }).count
    }
    #expect(try sizes(projecting) == 1 && sizes(plain) > 5)
  }
}

/// However short a run, the rate ends where a long one's ends: down by the cosine, and not on the way up.
@Test(arguments: [1, 2, 5, 9, 10, 11, 40, 150, 1000]) func aShortenedScheduleEnds(steps: Int) {
  let schedule = Schedule(.cosine, warmupSteps: 20).shortened(to: steps), last = schedule.factor(step: steps - 1, total: steps)
  #expect(schedule.warmupSteps <= steps / 10 && schedule.warmupSteps <= 20)
  // One step before the end of a cosine over n steps: (1 + cos π(n − 1)/n)/2.
  let n = Double(steps - schedule.warmupSteps)
  #expect(abs(last - 0.5 * (1 + cos(.pi * (n - 1) / n))) < 1e-12 && (steps < 5 || last < 0.1))
}
