import Cues
import Foundation
import Host
import Reports
import Testing

/// An audit as a file has it: noise passed, and darks as `darks` says.
func audit(seed: Int, darks: String, changing change: (String, String) = ("", "")) throws -> TaskAudit {
  let text = try auditText(seed: seed, darks: darks).replacingOccurrences(of: change.0.isEmpty ? "\u{0}" : change.0, with: change.1)
  return try CanonicalJSON.value(TaskAudit.self, from: Data(text.utf8), path: "audit.json")
}

func auditText(seed: Int, darks: String) throws -> String {
  func chance(_ control: String) -> String {
    """
       {"control": "\(control)", "verdict": "passed", "statement": "At chance.", "expected": 0.5, "remedies": [],
        "score": {"metric": "accuracy", "value": 0.502, "standardError": 0.005, "count": 10000, "chance": 0.5, "notes": []},
        "interval": {"lower": 0.492, "upper": 0.512}}
    """
  }
  return """
    {"format": "psimagenet-task-audit-4", "run": "flip", "task": "flip", "seed": \(seed), "step": 100, "corpus": "made", "split": "test",
     "classes": ["as recorded", "mirrored"], "examples": 10000, "acceptance": {"examples": 10000, "seeds": 3, "tolerance": 0.02},
     "headline": {"metric": "accuracy", "value": 0.8125, "standardError": 0.01, "count": 10000, "chance": 0.5, "notes": []},
     "headlineInterval": {"lower": 0.79, "upper": 0.83}, "runs": 10, "corpusDigest": "ab", "learntFrom": "ab", "owns": [],
     "verdict": "PROVISIONAL: accuracy 0.8125; no control was answered", "withheld": [],
     "commutation": {"rows": [{"source": "cspad", "step": "area average", "key": "area average", "verdict": "commutes", "residuals":
       [{"step": "area average", "symmetry": "left and right exchanged", "height": 96, "width": 97, "mean": 0, "largest": 0, "unrelated": 80}]}]},
     "findings": [\(["noise frames", "mask only", "header only", "mean image", "border strip"].map(chance).joined(separator: ",\n")),
       {"control": "dark frames", "verdict": "\(darks)", "statement": "Darks <said>.", "expected": 0.5, "remedies": ["template projection"],
        "score": {"metric": "accuracy", "value": 0.502, "standardError": 0.005, "count": 10000, "chance": 0.5, "notes": []}},
       {"control": "batch statistics", "verdict": "passed", "statement": "Company does not help.", "remedies": []},
       {"control": "mirrored geometry", "verdict": "passed", "statement": "Every mask is its own image.", "remedies": []},
       {"control": "planted cue", "verdict": "passed", "statement": "Found.", "remedies": []},
       {"control": "leave one run out", "verdict": "passed", "statement": "2 held-out runs reach 0.8125.", "remedies": []}]}
    """
}

@Test func aLeakOfOneSeedWithholdsTheAccuracyOfAll() throws {
  let audits = try [audit(seed: 1, darks: "passed"), audit(seed: 2, darks: "leak"), audit(seed: 3, darks: "passed")]
  let verdict = try TaskVerdict(audits)
  #expect(verdict.standing == .withheld && verdict.reasons == ["seed 2: dark frames: Darks <said>"] && verdict.remedies == [.templateProjection])
  let page = try TaskAuditReport(audits: audits, verdict: verdict).html().html
  #expect(page.contains("The accuracy is withheld") && page.contains("template projection: ") && page.contains("Darks &lt;said&gt;"))
  // Nowhere on the page, in no other words either: seed 1 alone has no leak, but all stand under one verdict.
  #expect(!page.contains("0.81"))
  // Nor in the file of the report; one that is not withheld has all.
  func file(_ audits: [TaskAudit]) throws -> String {
    String(decoding: try CanonicalJSON.data(TaskAuditReport(audits: audits, verdict: TaskVerdict(audits)).told), as: UTF8.self)
  }
  #expect(try !file(audits).contains("0.81") && !file(audits).contains("headline") && file(audits).contains("Darks <said>"))
  #expect(try file([audits[0], audits[2]]).contains("0.8125"))
}

@Test func threeHarmlessSeedsAreAccepted() throws {
  let audits = try (1...3).map { try audit(seed: $0, darks: "passed") }
  let verdict = try TaskVerdict(audits)
  #expect(verdict.standing == .accepted && verdict.headline?.seeds == [1, 2, 3] && verdict.sentence.hasPrefix("ACCEPTED: accuracy 0.81"))
  #expect(try TaskAuditReport(audits: audits, verdict: verdict).html().html.contains("0.81"))
  #expect(TaskVerdict(of: audits[0]).standing == .provisional)
  let undecided = try [audit(seed: 1, darks: "undecided"), audits[1], audits[2]]
  let open = try TaskVerdict(undecided)
  #expect(open.standing == .provisional && open.sentence.contains("dark frames of seed 1 is undecided"))
  #expect(!verdict.sentence.contains("Not asked") && !verdict.sentence.contains("owns"))
  // Who accepts without having asked everything says so, and names what was owned up to.
  let less = try TaskVerdict((1...3).map { try audit(seed: $0, darks: "not applicable", changing: ("\"commutes\"", "\"owned\"")) })
  #expect(less.standing == .accepted && less.sentence.contains("make no sense for the question: dark frames."))
  #expect(less.sentence.contains("owns up to steps that do not treat both hands alike: area average."))
}

/// Acceptance asks for runs enough, and for a judge of the assembly where there was one.
@Test func fewRunsAndAnUnjudgedAssemblyAreNotAccepted() throws {
  func verdict(_ old: String, _ new: String) throws -> TaskVerdict { try TaskVerdict((1...3).map { try audit(seed: $0, darks: "passed", changing: (old, new)) }) }
  #expect(try verdict("", "").standing == .accepted)
  let few = try verdict("\"runs\": 10", "\"runs\": 9")
  #expect(few.standing == .provisional && few.reasons == ["9 of 10 held-out runs"])
  let assembled = ("\"area average\", \"verdict\": \"commutes\"", "\"assemble\", \"verdict\": \"judged by a control\"")
  let unjudged = try verdict(assembled.0, assembled.1)
  #expect(unjudged.standing == .provisional && unjudged.reasons[0].contains("the assembly, which a twin of the turned detector alone can judge"))
  // Nor where it could not be measured at all.
  #expect(try verdict(assembled.0, "\"assemble\", \"verdict\": \"information\"").reasons == unjudged.reasons)
  func twinned(_ kind: String) throws -> TaskVerdict {
    try TaskVerdict((1...3).map { seed in
      let text = try auditText(seed: seed, darks: "passed").replacingOccurrences(of: assembled.0, with: assembled.1)
        .replacingOccurrences(of: "\"owns\": []", with: "\"owns\": [], \"twinKind\": \"\(kind)\"")
      return try CanonicalJSON.value(TaskAudit.self, from: Data(text.utf8), path: "audit.json")
    })
  }
  #expect(try twinned("seen by the turned detector").standing == .accepted)
  #expect(try twinned("the same frames assembled in the turned geometry").standing == .provisional)
}

/// Each of these leaves open whether the pictures were new to the networks, or whether all was asked: no accuracy is accepted then.
@Test(arguments: [
  ("\"split\": \"test\"", "\"split\": \"train\"", "pictures of split test, not train"),
  ("\"learntFrom\": \"ab\"", "\"learntFrom\": \"cd\"", "the corpus that was learnt from"),
  ("\"learntFrom\": \"ab\",", "\"learntFrom\": \"ab\", \"initialWeights\": \"trunk.safetensors\",", "those of trunk.safetensors have seen"),
  ("\"learntFrom\": \"ab\",", "\"learntFrom\": \"ab\", \"origin\": \"x, step 9, SHA-256 12, corpus ab\",", "1 of 3 seeds (runs that go on from one"),
  ("\"learntFrom\": \"ab\",", "\"learntFrom\": \"ab\", \"origin\": \"x, step 9, SHA-256 12, corpus ab; before that y, step 3, SHA-256 13, corpus cd\",",
   "learnt from this corpus alone"),
  ("\"learntFrom\": \"ab\",", "\"learntFrom\": \"ab\", \"origin\": \"x, step 9, SHA-256 12, corpus ab, first weights t.safetensors\",", "those of t.safetensors have seen"),
  ("\"learntFrom\": \"ab\",", "\"learntFrom\": \"ab\", \"origin\": \"x, step 9, SHA-256 12, corpus cd\",", "a checkpoint to go on from"),
  ("\"control\": \"border strip\"", "\"control\": \"another\"", "control border strip of seed 1"),
  ("\"count\": 10000, \"chance\": 0.5, \"notes\": []},\n    \"interval\"", "\"count\": 9999, \"chance\": 0.5, \"notes\": []},\n    \"interval\"",
   "noise frames of seed 1: 9999 of 10000 examples"),
]) func whatWasNotShownIsNotAccepted(_ old: String, _ new: String, _ reason: String) throws {
  let text = try auditText(seed: 1, darks: "passed")
  #expect(text.contains(old), "the fixture has no \(old)")
  let verdict = try TaskVerdict((1...3).map { try audit(seed: $0, darks: "passed", changing: (old, new)) })
  #expect(verdict.standing == .provisional && verdict.reasons.contains { $0.contains(reason) }, "\(verdict.reasons)")
  #expect(try TaskVerdict((1...3).map { try audit(seed: $0, darks: "passed") }).standing == .accepted)
}

/// Runs are judged together only where they are seeds of one recipe on one corpus.
@Test(arguments: [
  ("\"task\": \"flip\"", "\"task\": \"jigsaw\"", "task"), ("\"corpus\": \"made\"", "\"corpus\": \"other\"", "corpus"),
  ("\"step\": 100, \"corpus\"", "\"step\": 200, \"corpus\"", "step"), ("\"split\": \"test\"", "\"split\": \"train\"", "split"),
  ("\"owns\": []", "\"owns\": [], \"recipeDigest\": \"ab\"", "recipe"), ("\"corpusDigest\": \"ab\"", "\"corpusDigest\": \"cd\"", "corpus"),
  ("\"as recorded\"", "\"upright\"", "classes"), ("\"tolerance\": 0.02", "\"tolerance\": 0.2", "acceptance"), ("\"seed\": 2", "\"seed\": 1", "seed"),
]) func runsOfDifferentKindsAreNotJudgedTogether(_ old: String, _ new: String, _ place: String) throws {
  let first = try audit(seed: 1, darks: "passed"), other = try audit(seed: 2, darks: "passed", changing: (old, new))
  #expect(throws: Never.self) { try TaskVerdict([first, audit(seed: 2, darks: "passed")]) }
  do {
    _ = try TaskVerdict([first, other])
    Issue.record("judged together although \(place) differs")
  } catch { #expect(error.place == place) }
}
