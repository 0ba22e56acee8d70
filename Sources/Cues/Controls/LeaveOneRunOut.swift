import Corpora
import Evaluation
import Foundation
import Tensors

/// Whether answers carry over to runs that were not learnt from: each held-out run by itself, beside the runs of the training.
///
/// A network is not trained anew for each run. The mean image is: fitted on all runs but one and tried on that one, beside a fit that knew
/// half of the run's frames. What only the latter answers is a pattern of the run.
public struct LeaveOneRunOut: TaskControl {
  public static let name = "leave one run out"
  public static let meaning = "the answer goes with the run, and new runs are answered worse"
  public static let remedies: [Remedy] = [.runSplit, .templateProjection]

  public init() {}

  public func finding(_ subject: TaskSubject) throws -> ControlFinding {
    let sheet = try subject.headline.get(), score = sheet.score("accuracy, runs left out of training"), runs = sheet.byRun.values.sorted()
    let known = subject.learnt.count > 0
      ? try subject.examiner.sheet(of: subject.learnt, count: subject.examples / 2, paired: true, seed: subject.seed).score("accuracy, training runs") : nil
    let templates = try LeaveOneRunOut.templates(subject)
    var words = "\(runs.count) held-out runs reach \(decimals(runs.first ?? .nan)) to \(decimals(runs.last ?? .nan))"
    if let known { words += ", runs of the training \(decimals(known.value))" }
    if let templates { words += "; the mean image reaches \(decimals(templates.new.value)) on new runs, \(decimals(templates.known.value)) on known ones" }
    guard subject.corpus.manifest.splitBy != .frame else {
      return ControlFinding(
        LeaveOneRunOut.self, .leak, "The corpus is split by frame: no run was left out. \(words).", score: score, expected: known?.value)
    }
    guard runs.count > 1 else {
      return ControlFinding(LeaveOneRunOut.self, .undecided, "One held-out run only: \(words).", score: score, expected: known?.value)
    }
    if let known, LeaveOneRunOut.isAboveChance(known, subject.acceptance), !LeaveOneRunOut.isAboveChance(score, subject.acceptance) {
      let error = (known.largerStandardError * known.largerStandardError + score.largerStandardError * score.largerStandardError).squareRoot()
      guard known.value - score.value > AuditAcceptance.sigmas * error else {
        return ControlFinding(
          LeaveOneRunOut.self, .undecided, "New runs are neither shown to be answered nor shown to be worse: too few. \(words).", score: score, expected: known.value)
      }
      return ControlFinding(
        LeaveOneRunOut.self, .leak, "Answered on runs of the training alone: \(LeaveOneRunOut.meaning). \(words).", score: score, expected: known.value)
    }
    return ControlFinding(LeaveOneRunOut.self, .passed, words + ".", score: score, expected: known?.value)
  }

  private static func isAboveChance(_ score: Score, _ acceptance: AuditAcceptance) -> Bool {
    let excess = score.value - (score.chance ?? 0.5)
    return excess > acceptance.tolerance && excess > AuditAcceptance.sigmas * score.largerStandardError
  }

  /// Answers of the mean image on held-out runs: each left out of the fit, and with half of its frames in it. `nil` for one run, where
  /// too few examples are left, and for questions that are no choice among classes.
  static func templates(_ subject: TaskSubject) throws -> (new: Score, known: Score)? {
    let held = subject.held, examiner = subject.examiner, count = min(subject.examples, 4000)
    let runs = Set(held.runs).sorted()
    guard runs.count > 1, count > 1, examiner.question.rule == .largest else { return nil }
    let target = examiner.target
    // Even and odd frames of a run apart, so that a frame never judges itself.
    var examples: [TaskExaminer.Example] = [], halves: [Int] = [], seen: [Int: Int] = [:]
    let order = held.runs.map { run -> Int in
      seen[run, default: 0] += 1
      return seen[run]! % 2
    }
    for example in try examiner.examples(of: held, 0..<count, seed: subject.seed &+ 2) {
      examples.append(example)
      halves.append(order[example.picture])
    }
    let width = examples[0].input(without: target).count, classes = examiner.classes.count
    var new = AnswerSheet(classes: classes), known = new
    for run in runs {
      var others = TemplateClassifier.Sums(classes: classes, width: width), half = [others, others]
      for (example, part) in zip(examples, halves) {
        let input = example.input(without: target)
        if example.run == run { half[part].add(input, of: example.truth) } else { others.add(input, of: example.truth) }
      }
      guard others.suffice else { return nil }
      let template = TemplateClassifier(others)
      let informed = half.map { own -> TemplateClassifier in
        var sums = others
        sums.merge(own)
        return TemplateClassifier(sums)
      }
      for (example, part) in zip(examples, halves) where example.run == run {
        let input = example.input(without: target)
        new.append(template.credit(input, example.truth), example)
        known.append(informed[1 - part].credit(input, example.truth), example)
      }
    }
    return (new.score("accuracy, mean image, new runs"), known.score("accuracy, mean image, known runs"))
  }
}
