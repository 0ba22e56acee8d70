import Cues
import Evaluation
import Foundation
import Host

/// The audits of one recipe's runs, with what follows from all of them.
public struct TaskAuditReport: Codable, Sendable {
  public var audits: [TaskAudit]
  public var verdict: TaskVerdict

  public init(audits: [TaskAudit], verdict: TaskVerdict) { (self.audits, self.verdict) = (audits, verdict) }

  /// The report as a file or a pipe may have it: where the accuracy is withheld, without the figures that tell it.
  public var told: JSONValue {
    get throws(InputError) {
      guard verdict.standing == .withheld, case .object(var fields) = try JSONValue.of(self) else { return try .of(self) }
      fields["audits"] = .array(try audits.map { audit throws(InputError) in
        guard case .object(var own) = try JSONValue.of(audit) else { preconditionFailure("an audit is a mapping") }
        for key in ["headline", "headlineInterval", "parts", "verdict"] { own[key] = nil }
        own["findings"] = try .of(audit.shown(withholding: true))
        return .object(own)
      })
      return .object(fields)
    }
  }

  /// The report as a page. Traps without audits.
  public func html() throws -> HTMLReport {
    let first = audits[0]
    var report = HTMLReport(
      title: "Audit of \(first.run)", subtitle: "\(first.task) on \(first.corpus), \(first.split) split, \(audits.count) run\(audits.count == 1 ? "" : "s")")
    switch verdict.standing {
    case .withheld:
      report.warning(
        "The accuracy is withheld", "Each line below is a control that was answered without content, or a step that does not commute with mirrors.")
      report.list(verdict.reasons)
      if !verdict.remedies.isEmpty {
        report.heading("Remedies")
        report.list(verdict.remedies.map { "\($0.rawValue): \($0.advice)" })
      }
    case .provisional: report.note(verdict.sentence)
    case .accepted: report.paragraph(verdict.sentence)
    }
    report.heading("Controls")
    report.paragraph(
      "Each control asks the task for \(first.examples) examples and the network for its answers. It is a leak where the score is more than "
        + "\(decimal(first.acceptance.tolerance, 2)) and more than 2.8 standard errors from what is expected, passed where the whole 95 % interval is "
        + "within \(decimal(first.acceptance.tolerance, 2)), undecided in between.")
    for audit in audits { add(audit, to: &report) }
    report.heading("Does each step treat a picture and its mirror image alike?")
    add(first.commutation, to: &report)
    return report
  }

  private func add(_ audit: TaskAudit, to report: inout HTMLReport) {
    let isWithheld = verdict.standing == .withheld
    var table = Table([.init("control"), .init("verdict"), .init("accuracy", .right), .init("95 %", .right), .init("expected", .right), .init("what was found")])
    let headline: Table.Cell = isWithheld ? .withheld("a control is answered") : .measured(audit.headline.value, error: audit.headline.standardError, digits: 3)
    table.append([
      .text("headline"), .text(isWithheld ? "withheld" : ""), headline, .text(isWithheld ? "" : audit.headlineInterval.description),
      .number(audit.headline.chance ?? .nan, digits: 3), .text("\(audit.headline.metric) on held-out pictures, n = \(audit.headline.count)"),
    ])
    for part in audit.parts ?? [] {
      table.append([
        .text("\(part.name): headline"), .text(isWithheld ? "withheld" : ""),
        isWithheld ? .withheld("a control is answered") : .measured(part.headline.value, error: part.headline.standardError, digits: 3),
        .text(isWithheld ? "" : part.headlineInterval.description), .number(part.headline.chance ?? .nan, digits: 3),
        .text("\(part.headline.metric), n = \(part.headline.count)"),
      ])
    }
    for finding in audit.shown(withholding: isWithheld) {
      let verdict = Table.Cell.text(finding.verdict.rawValue)
      table.append([
        .text(finding.name), finding.verdict == .leak ? .emphasized(verdict) : verdict,
        finding.score.map { .measured($0.value, error: $0.standardError, digits: 3) } ?? .missing, .text(finding.interval?.description ?? ""),
        finding.expected.map { .number($0, digits: 3) } ?? .missing, .text(finding.statement),
      ])
    }
    report.table(table, caption: "Seed \(audit.seed), \(audit.step) steps. ± is one standard error, looks at one picture and frames of one run taken together.")
  }

  private func add(_ commutation: CommutationTable, to report: inout HTMLReport) {
    var table = Table([
      .init("source"), .init("step"), .init("verdict"), .init("worst residual", .right), .init("mean", .right), .init("largest", .right), .init("glide", .right),
      .init("where"), .init("reason"),
    ])
    for row in commutation.rows {
      guard let worst = row.worst else { continue }
      let verdict = Table.Cell.text(row.verdict.rawValue)
      table.append([
        .text(row.source), .text(row.step), row.verdict == .fails ? .emphasized(verdict) : verdict, .number(worst.relative, digits: 5),
        .number(worst.mean, digits: 4), .number(worst.largest, digits: 2), worst.glide.map { .number($0, digits: 4) } ?? .missing,
        .text(worst.commutes ? "all \(row.residuals.count) sizes and symmetries" : "\(worst.symmetry), \(worst.height)×\(worst.width)"), .text(row.reason ?? ""),
      ])
    }
    report.table(
      table, caption: "Residual |J(Fx) − F(Jx)| of each step J over noise of 0 to 255 counts and mirrors F, swept over sizes; the worst one is shown, as a share "
        + "of the difference of unrelated pictures and in counts. Below \(CommutationResidual.tolerance) a step commutes. The glide residual is the least over all "
        + "shifts before and after: where it is none, random crops hide the step's handedness.")
  }
}
