import Corpora
import Host

extension Gate {
  /// Every file is what the manifest says.
  static func integrity(_ corpus: Corpus) -> Gate {
    Gate(.integrity, .passed, "All \(corpus.manifest.shards.count + corpus.manifest.geometries.count + 3) files have the checksums of the manifest.")
  }

  static func integrity(faults: [InputError]) -> Gate {
    Gate(
      .integrity, .failed, "\(faults.count) part(s) of the corpus are not what the manifest says; nothing else was audited.",
      findings: faults.map(\.description))
  }

  /// No run stands in two splits: its beam, pedestals and background would be known to the network that is tested on it.
  static func runs(_ corpus: Corpus) -> Gate {
    shared(.runs, "run", corpus.records.map { ($0.run.description, $0.split) })
  }

  /// No dark set stands in two splits: what its subtraction leaves on every picture is the same on both sides.
  static func darkSets(_ corpus: Corpus) -> Gate {
    let calibrated = corpus.records.filter { !$0.darkSet.isEmpty }
    guard !calibrated.isEmpty else {
      return Gate(.darkSets, .notApplicable, "No picture has pedestals subtracted.")
    }
    var runs: [String: Set<RunKey>] = [:]
    for record in calibrated { runs[record.darkSet, default: []].insert(record.run) }
    return shared(.darkSets, "dark set", calibrated.map { record -> (String, Split) in
      let own = runs[record.darkSet, default: []].sorted().map(\.description)
      return ("\(record.darkSet.prefix(12)) (runs \(own.prefix(6).joined(separator: ", "))\(own.count > 6 ? ", …" : ""))", record.split)
    }, remedy: "split.by: darkSet keeps such runs together")
  }

  private static func shared(_ name: Name, _ what: String, _ places: [(String, Split)], remedy: String? = nil) -> Gate {
    var splits: [String: Set<Split>] = [:]
    for (thing, split) in places { splits[thing, default: []].insert(split) }
    let torn = splits.filter { $0.value.count > 1 }.sorted { $0.key < $1.key }
    guard !torn.isEmpty else { return Gate(name, .passed, "None of \(splits.count) \(what)s stands in two splits.") }
    return Gate(
      name, .failed, "\(torn.count) of \(splits.count) \(what)s stand in more than one split." + (remedy.map { " (\($0))" } ?? ""),
      findings: torn.map { "\($0.key): \($0.value.sorted().map(\.rawValue).joined(separator: ", "))" })
  }
}
