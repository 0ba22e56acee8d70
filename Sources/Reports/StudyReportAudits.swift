import Cues
import Evaluation
import Foundation
import Host
import Pretexts

/// Whether what each family reaches in its own task is content, by the audits of its runs taken together.
extension StudyReport {
  /// Of one family.
  public struct FamilyAudit: Codable, Sendable {
    public enum Standing: String, Codable, Sendable {
      /// Every control of every seed passed, with as many examples and seeds as acceptance asks for.
      case stands = "headline stands"
      /// A control is answered, or a step of the pipeline does not commute.
      case withheld
      /// No leak was found, but none is excluded: something is undecided.
      case notShown = "not shown"
      case notAudited = "not audited"
    }

    public var family: String
    public var standing: Standing
    /// Over the seeds; absent where withheld and where no run was audited.
    public var headline: Score?
    /// What leaks, or what is missing for the headline to stand.
    public var reasons: [String]
    public var remedies: [Remedy]
    /// Steps that do not commute, to which the recipe owns up.
    public var owned: [String]
    public var runs: Int
    public var auditedRuns: Int

    /// For a reader: what leaks, or what is undecided, each once, with the seeds that say so.
    public var why: String {
      switch standing {
      case .withheld: reasons.joined(separator: "; ")
      case .notShown: "undecided: " + reasons.joined(separator: "; ")
      case .notAudited: "no run of the family was audited: its accuracy in its own task is not to be quoted"
      case .stands: "every control that was asked passed"
      }
    }
  }

  /// Every family that has runs, in the order of the page. `random` has no task, and none here.
  public var familyAudits: [FamilyAudit] {
    ordered(runs.map(\.family)).map { familyAudit($0) }
  }

  func familyAudit(_ family: String) -> FamilyAudit {
    let own = runs.filter { $0.family == family }, audits = own.compactMap(\.audit)
    var result = FamilyAudit(
      family: family, standing: .notAudited, headline: nil, reasons: [], remedies: [], owned: [], runs: own.count, auditedRuns: audits.count)
    guard let verdict = verdicts[family] else { return result }
    (result.headline, result.remedies, result.owned) = (verdict.headline, verdict.remedies, verdict.owned)
    switch verdict.standing {
    case .withheld: (result.standing, result.reasons) = (.withheld, verdict.reasons)
    case .accepted where audits.count == own.count: result.standing = .stands
    case .accepted, .provisional:
      result.standing = .notShown
      result.reasons = StudyReport.missing(audits)
      if audits.count < own.count { result.reasons.append("\(own.count - audits.count) of \(own.count) runs are not audited") }
    }
    return result
  }

  /// What keeps harmless audits from being accepted, controls first, each once.
  private static func missing(_ audits: [TaskAudit]) -> [String] {
    var order: [String] = [], seeds: [String: [UInt64]] = [:]
    for audit in audits {
      for finding in audit.findings where finding.verdict == .undecided {
        if seeds[finding.name] == nil { order.append(finding.name) }
        seeds[finding.name, default: []].append(audit.seed)
      }
    }
    let reasons = order.map { name in
      seeds[name]!.count == audits.count ? name : "\(name) (seed \(seeds[name]!.map { "\($0)" }.joined(separator: ", ")))"
    }
    return reasons + TaskVerdict.unmet(audits)
  }

  /// A row a family.
  public var auditTable: Table {
    var table = Table([.init("trunk"), .init("own task"), .init("audit"), .init("headline", .right), .init("chance", .right), .init("why")])
    for audit in familyAudits {
      let task = runs.first { $0.family == audit.family }?.recipe.task.name ?? ""
      let standing = Table.Cell.text(audit.standing.rawValue)
      let headline: Table.Cell = audit.standing == .withheld
        ? .withheld("a control is answered") : audit.headline.map { .measured($0.value, error: $0.largerStandardError, digits: 3) } ?? .missing
      table.append([
        .text(title(of: audit.family)), .text(task), audit.standing == .withheld ? .emphasized(standing) : standing, headline,
        audit.headline?.chance.map { .number($0, digits: 3) } ?? .missing,
        .text(audit.why + (audit.owned.isEmpty ? "" : "; the recipe owns up to \(audit.owned.joined(separator: ", "))")),
      ])
    }
    return table
  }

  /// The table for a terminal of `width` columns.
  public func auditText(width: Int? = nil) -> TextTable { TextTable(auditTable, width: width, remarks: []) }

  func addAudits(to report: inout HTMLReport) {
    report.heading("Is the accuracy in the own task content?")
    report.paragraph(
      "Each run was put to the controls that its task can be put to: noise, darks, masks, headers, the mean image, the border, the batch, new runs, "
        + "another outline, a planted cue. A headline stands where all of them are harmless beyond doubt; it is withheld where one is answered; "
        + "where something is undecided it is not shown to be content. What a trunk is worth downstream does not depend on it.")
    report.table(
      auditTable,
      caption: "Headline: accuracy in the own task on the test runs, ± the larger of the standard errors over seeds and over examples. In full: audit.json of each run, "
        + "and psimagenet audit --task RUN RUN RUN.")
  }
}
