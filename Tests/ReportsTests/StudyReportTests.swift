import Cues
import Evaluation
import Foundation
import Host
import Reports
import Testing
import Training

private let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
private let hasGnuplot = (try? Gnuplot(searching: path)) != nil

private func finding(_ rows: [[String: Any]]) throws -> StudyReport.Finding {
  try #require(try StudyReport(title: "t", transfer: transfer(rows)).findings.first)
}

private func cue(withheld: Bool, dark: Bool = true, side: Int = 4, pixels: Int = 16) throws -> CueReport {
  let bin: [[String: Any]] = [["name": "a", "count": 9, "expected": 3.0], ["name": "b", "count": 1, "expected": 7.0]]
  let map = (0..<pixels).map { Double($0) / 10 - 0.5 }
  var source: [String: Any] = [
    "name": "cam<1>", "detector": "opal", "accuracy": score(0.9173, 0.0123), "maskOnly": score(0.5, 0.04), "maskOnlyVerdict": "chance",
    "maskMirrorOverlap": 0.651, "verdict": withheld ? "Dark frames are answered." : "Both controls are at chance.", "isWithheld": withheld,
    "peaks": ["panels": bin, "radius": bin, "azimuth": bin, "radiusUnit": "mm", "inGaps": 2, "total": 12], "meanEvidence": map,
    "examples": [["record": "r1", "logit": -1.25, "view": map, "evidence": map, "peakRow": 3, "peakColumn": 3]],
  ]
  if dark { (source["dark"], source["darkVerdict"]) = (score(0.8, 0.05, n: 20), withheld ? "leak" : "too few") }
  return try decoded(
    CueReport.self,
    [
      "run": "flip", "corpus": "made up", "split": "test", "side": side, "sources": [source], "verdict": "In a word.",
      "withheld": withheld ? ["cam<1>"] : [String](),
      "planted": [
        "amplitude": 4.0, "oracle": 0.9977, "linear": score(0.998, 0.001), "network": score(0.99, 0.005), "localized": score(0.3, 0.02),
        "localizedByWeighting": ["local": score(0.3, 0.02), "mean": score(0.2, 0.02)],
        "row": 1, "column": 1,
      ],
    ])
}

@Test func aClearGainIsClaimedWithItsSize() throws {
  let found = try finding([row("random", score(0.6, 0.03)), row("flip", score(0.8, 0.04))])
  // √(0.03² + 0.04²) = 0.05, by hand.
  #expect(found.comparison("flip")?.beatsRandom == true)
  #expect(found.sentence.hasPrefix("lasing: flip (+0.200 ± 0.050) beats random-init features (0.600 ± 0.030, n = 120)."))
  #expect(!found.sentence.contains("reasons"))
}

@Test func aGainWithinTwiceItsErrorIsNotClaimed() throws {
  let found = try finding([row("random", score(0.6, 0.03)), row("flip", score(0.699, 0.04))])
  #expect(found.comparison("flip")?.beatsRandom == false && found.comparison("flip")?.isWorse == false)
  #expect(found.sentence.contains("no pretext trunk beats random-init features") && found.sentence.contains("flip (+0.099 ± 0.050)"))
  #expect(found.sentence.contains("n = 120 test frames") && found.sentence.contains("2 × 0.050"))
}

@Test func theLargerOfBothStandardErrorsDecides() throws {
  let seeds = [1, 2, 3]
  let found = try finding([
    row("random", score(0.6, 0.001, seeds: seeds, within: 0.06)), row("flip", score(0.7, 0.001, seeds: seeds, within: 0.08)),
  ])
  #expect(found.comparison("flip")?.beatsRandom == false && found.sentence.contains("+0.100 ± 0.100"))
  #expect(!found.sentence.contains("One training"))
}

@Test func aLossIsSaidPlainly() throws {
  let run = { (value: Double) in score(value, 0.03, n: 80, chance: 0.1) }
  let found = try finding([
    row("random", score(0.8, 0.03), run: run(0.3)), row("crop", score(0.5, 0.04), run: run(0.9)), row("flip", score(0.95, 0.04), run: run(0.3)),
  ])
  #expect(found.sentence.contains("crop (−0.300 ± 0.050) is worse than random-init features."))
  #expect(found.sentence.contains("flip (+0.150 ± 0.050) beats"))
  #expect(found.sentence.contains("crop features name the run better than random ones do"))
}

@Test func reasonsComeFromTheNumbers() throws {
  let chance = try finding([row("random", score(0.51, 0.05)), row("flip", score(0.49, 0.05))])
  #expect(chance.sentence.contains("within 2 standard errors of chance (0.500)"))
  let ceiling = try finding([row("random", score(0.99, 0.01)), row("flip", score(0.985, 0.01))])
  #expect(ceiling.sentence.contains("already at the ceiling") && !ceiling.sentence.contains("chance"))
  let neither = try finding([row("random", score(0.7, 0.02)), row("flip", score(0.71, 0.02))])
  #expect(!neither.sentence.contains("ceiling") && !neither.sentence.contains("chance"))
}

@Test func supervisedTrunksAreNoPretexts() throws {
  let rows = [row("random", score(0.6, 0.01)), row("kind", score(0.9, 0.01)), row("flip", score(0.6, 0.01))]
  let named = try StudyReport(title: "t", transfer: transfer(rows))
  #expect(named.headline.contains("in 1 of 1"), "without its recipe nothing tells that kind is supervised")
  let known = try StudyReport(title: "t", runs: [("kind", runFolder(task: "frame-class"))], transfer: transfer(rows))
  #expect(known.role(of: "kind") == .supervised && known.headline.hasPrefix("In none of 1 downstream task"))
  #expect(known.findings[0].sentence.contains("supervised: kind +0.300"))
}

@Test func withoutARandomTrunkNothingIsClaimed() throws {
  let found = try finding([row("flip", score(0.9, 0.01, seeds: nil, chance: nil))])
  #expect(found.comparisons.isEmpty && found.sentence.contains("no random-init trunk"))
  #expect(try StudyReport(title: "t").headline == "No transfer was judged.")
}

@Test func overfittingIsReadFromTheMetrics() throws {
  let study = try StudyReport(
    title: "t", runs: [("flip", runFolder())], transfer: transfer([row("random", score(0.7, 0.02)), row("flip", score(0.71, 0.02))]))
  #expect(study.findings[0].sentence.contains("0.980 in training, 0.700 ± 0.023, n = 400 in validation"))
}

@Test func theTerminalSaysWhatIsWithheld() throws {
  let study = try StudyReport(
    title: "t", transfer: transfer([row("random", score(0.6, 0.03)), row("flip", score(0.8, 0.04))]), cues: [cue(withheld: true)])
  let text = study.terminalTable(width: 100).description
  #expect(text.contains("0.800 ± 0.040 *") && text.contains("flip (+0.200 ± 0.050) beats") && text.contains("WITHHELD"))
  let lines = text.components(separatedBy: "\n").dropFirst(6)
  #expect(lines.allSatisfy { $0.count <= 100 })
  #expect(!text.contains("0.917"))
}

@Test(.enabled(if: hasGnuplot, "gnuplot is not installed"), arguments: [true, false]) func thePageHoldsEveryPart(withheld: Bool) throws {
  let rows = [
    row("random", score(0.6, 0.03)), row("flip", score(0.8, 0.04), run: score(0.4, 0.05, chance: 0.1)),
    row("random", score(0.55, 0.03), probe: "nearest neighbours"), row("flip", score(0.6, 0.03), probe: "nearest neighbours"),
  ]
  let study = try StudyReport(
    title: "A <study>", runs: [("flip", runFolder())], transfer: transfer(rows), cues: [cue(withheld: withheld)], notes: ["<i>note</i>"])
  let html = try study.html(using: Gnuplot(searching: path)).html
  // 2 curves, 1 chart of a task, 1 map and 3 charts of peaks; 1 example.
  #expect(html.components(separatedBy: "<svg").count - 1 == 7)
  #expect(html.components(separatedBy: "src=\"data:image/png").count - 1 == 1)
  for part in ["Summary", "Training", "Transfer", "What the flip detector looked at", "How it was made", "Φ(A/√2)", "321", "0.651"] {
    #expect(html.contains(part), "\(part)")
  }
  #expect(html.contains("<strong>0.800") && html.contains("no such label &lt;b&gt;") && html.contains("cam&lt;1&gt;"))
  #expect(!html.contains("<i>") && !html.contains("cam<1>") && !html.contains("/secret/place"))
  #expect(html.contains("WITHHELD") == withheld && html.contains("0.917") == !withheld)
  #expect(XMLProbe.isWellFormed(html) && html.utf8.count < 5_000_000)
}

@Test(.enabled(if: hasGnuplot, "gnuplot is not installed")) func missingPartsAreLeftOut() throws {
  let html = try StudyReport(title: "Empty").html(using: Gnuplot(searching: path)).html
  #expect(html.contains("No transfer was judged.") && !html.contains("<svg") && !html.contains("looked at"))
  let undarkened = try StudyReport(title: "t", cues: [cue(withheld: false, dark: false)]).html(using: Gnuplot(searching: path)).html
  #expect(undarkened.contains("none in the corpus"))
}

@Test func whatCannotBeIsRefused() throws {
  #expect(throws: InputError.self) { try StudyReport(title: "t", cues: [cue(withheld: false, pixels: 15)]) }
  #expect(throws: InputError.self) { try StudyReport(title: "t", cues: [cue(withheld: false, side: 0, pixels: 0)]) }
  #expect(throws: InputError.self) { try StudyReport(title: "t", transfer: transfer([row("a", score(0.5, 0.1)), row("a", score(0.5, 0.1))])) }
  #expect(throws: InputError.self) { try StudyReport(title: "t", transfer: transfer([row("a", score(0.5, 0.1, n: 0))])) }
  #expect { try StudyReport(title: "t", runs: [("a", RunFolder("/nowhere"))]) } throws: { ($0 as? InputError)?.kind == .missing }
  #expect { try StudyReport(title: "t", published: "/nowhere") } throws: { ($0 as? InputError)?.kind == .missing }
}

@Test func publishedWeightsMustHaveTheirChecksum() throws {
  let folder = FileManager.default.temporaryDirectory.path + "/published-\(UUID().uuidString)", model = folder + "/flip-1"
  try AtomicFile.write(Data("abc".utf8), to: model + "/model.safetensors")
  // SHA-256 of "abc" from FIPS 180-4.
  let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
  try AtomicFile.write(Data("\(digest)  model.safetensors\n".utf8), to: model + "/SHA256SUMS")
  let found = try StudyReport(title: "t", published: folder).published
  #expect(found.map(\.name) == ["flip-1"] && found.map(\.sha256) == [digest])
  try AtomicFile.write(Data("abd".utf8), to: model + "/model.safetensors")
  #expect(throws: InputError.self) { try StudyReport(title: "t", published: folder) }
}

/// random 0.6, supervised 0.9: 0.84 closes 0.24 of 0.30.
@Test func theShareOfTheGapIsThatOfTheDifferences() throws {
  let rows = [
    row("random", score(0.6, 0.01)), row("sup", score(0.9, 0.01)), row("flip", score(0.84, 0.01)), row("simclr", score(0.75, 0.01)),
  ]
  let study = try StudyReport(
    title: "t",
    runs: [
      ("sup", runFolder(task: "frame-class", label: "lasing")), ("flip", runFolder()), ("simclr", runFolder(task: "simclr")),
    ], transfer: transfer(rows))
  let worth = try #require(study.worths.first { $0.family == "flip" })
  #expect(abs(try #require(worth.share) - 0.8) < 1e-9)
  // Each difference has error 0.01 √2; the ratio's is √(1 + 0.8²) of that over 0.3.
  #expect(abs(try #require(worth.shareError) - 0.01 * 2.squareRoot() * 1.64.squareRoot() / 0.3) < 1e-9)
  let first = try #require(study.worthSentences.first)
  #expect(first.contains("closes 80 ± 6 %") && first.contains("simclr") && first.hasSuffix("+0.090 ± 0.014, better."))
  #expect(study.worthSentences.contains("The best pretext scores above the best contrastive baseline in 1 of 1 tasks; by more than twice the error, above in 1 and below in 0."))
  #expect(study.isContrastive("simclr") && !study.isContrastive("flip") && study.supervisedFamily(of: "lasing") == "sup")
  let cells = try #require(study.worthColumns.rows.first { $0[0].text == "flip" })
  #expect(cells.last?.text == "80 % (1 tasks)" && cells[2].text == "0.700 (not audited)")
}

/// Without a supervised trunk that is clearly better than random there is nothing to close, and no share is made up.
@Test func withoutAGapThereIsNoShare() throws {
  let rows = [row("random", score(0.6, 0.1)), row("sup", score(0.7, 0.1)), row("flip", score(0.65, 0.1))]
  let study = try StudyReport(
    title: "t", runs: [("sup", runFolder(task: "frame-class", label: "lasing")), ("flip", runFolder())], transfer: transfer(rows))
  #expect(study.worths.allSatisfy { $0.share == nil })
  #expect(try #require(study.worthSentences.first).contains("no gap to close"))
}

/// What a family reaches in its own task is shown with what its audits say: it stands, is withheld with the leak, or nothing is shown.
@Test func auditsOfAFamilyAreTakenTogether() throws {
  func runs(_ family: String, _ darks: [String]) throws -> [(name: String, folder: RunFolder)] {
    try darks.enumerated().map { index, verdict in
      let folder = try runFolder()
      if !verdict.isEmpty { try AtomicFile.write(Data(auditText(seed: index + 1, darks: verdict).utf8), to: folder.path + "/audit.json") }
      return (family, folder)
    }
  }
  let all = try runs("open", ["passed", "passed", "passed"]) + runs("leaking", ["passed", "leak"]) + runs("vague", ["passed", "undecided", "passed"])
    + runs("half", ["passed", "passed", "passed", ""]) + runs("blind", [""])
  defer { for run in all { try? FileManager.default.removeItem(atPath: run.folder.path) } }
  let study = try StudyReport(
    title: "t", runs: all,
    transfer: transfer((["open", "leaking", "vague", "half", "blind", "random"]).map { row($0, score(0.7, 0.01, within: 0.01)) }))
  let audits = Dictionary(uniqueKeysWithValues: study.familyAudits.map { ($0.family, $0) })
  #expect(audits.mapValues(\.standing) == ["open": .stands, "leaking": .withheld, "vague": .notShown, "half": .notShown, "blind": .notAudited])
  #expect(audits["open"]?.headline?.seeds == [1, 2, 3] && audits["leaking"]?.headline == nil && audits["blind"]?.headline == nil)
  #expect(audits["leaking"]?.reasons == ["seed 2: dark frames: Darks <said>"] && audits["leaking"]?.remedies == [.templateProjection])
  #expect(audits["vague"]?.reasons == ["dark frames (seed 2)"] && audits["half"]?.reasons == ["1 of 4 runs are not audited"])
  // In the table of what trunks are worth, beside the accuracy, and in its place.
  let cells = Dictionary(uniqueKeysWithValues: study.worthColumns.rows.map { ($0[0].text, $0[2].text) })
  #expect(cells["open"]?.hasSuffix("(headline stands)") == true && cells["leaking"] == "withheld: seed 2: dark frames: Darks <said>")
  #expect(cells["vague"]?.hasSuffix("(not shown to be content)") == true && cells["blind"]?.hasSuffix("(not audited)") == true)
  #expect(study.auditText().description.contains("no run of the family was audited"))
  // Audits of different recipes are no seeds of one family.
  let mixed = try runs("mixed", ["passed", "passed"])
  defer { for run in mixed { try? FileManager.default.removeItem(atPath: run.folder.path) } }
  try AtomicFile.write(
    Data(auditText(seed: 2, darks: "passed").replacingOccurrences(of: "\"owns\": []", with: "\"owns\": [\"mask only\"], \"recipeDigest\": \"ab\"").utf8),
    to: mixed[1].folder.path + "/audit.json")
  #expect(throws: InputError.self) { try StudyReport(title: "t", runs: mixed) }
}

/// A withheld accuracy stands nowhere on the page: not in the table of trainings, not in the figure, not in a sentence.
@Test(.enabled(if: hasGnuplot, "gnuplot is not installed")) func aWithheldAccuracyIsNowhereOnThePage() throws {
  let folder = try runFolder()
  defer { try? FileManager.default.removeItem(atPath: folder.path) }
  func page() throws -> String {
    let study = try StudyReport(
      title: "t", runs: [("flip", folder)],
      transfer: transfer([row("flip", score(0.6, 0.05)), row("random", score(0.6, 0.05))]))
    return try study.html(using: Gnuplot(searching: path)).html
  }
  // Accuracies of the run: 0.98 in training, 0.7 in validation; the audit's is 0.8125.
  try AtomicFile.write(Data(auditText(seed: 1, darks: "passed").utf8), to: folder.path + "/audit.json")
  let open = try page()
  #expect(open.contains("0.980") && open.contains("0.700") && open.contains("0.812") && open.contains("Accuracy in the own task"))
  try AtomicFile.write(Data(auditText(seed: 1, darks: "leak").utf8), to: folder.path + "/audit.json")
  let withheld = try page()
  #expect(!withheld.contains("0.980") && !withheld.contains("0.700") && !withheld.contains("0.81") && withheld.contains("Without the accuracy of flip"))
}
