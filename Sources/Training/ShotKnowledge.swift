import Corpora
import Host
import Pretexts

/// The shot next to another one in its run.
package struct ShotNeighbour: Sendable, Hashable {
  /// Among the records.
  package let index: Int
  package let isLater: Bool

  /// For each record the next shot of the same source, run and panel among `records`, and for the last one of a run the one before.
  ///
  /// Shots are ordered by their time stamps, and by file and position where those are equal. Throws for a record that is alone in
  /// its run.
  package static func all(of records: [Record], path: String) throws(InputError) -> [ShotNeighbour] {
    var neighbours = records.map { _ in ShotNeighbour(index: -1, isLater: false) }
    for (_, own) in Dictionary(grouping: records.indices, by: { Series(records[$0]) }) {
      let ordered = own.sorted { records[$0].isEarlier(than: records[$1]) }
      guard ordered.count > 1 else {
        throw InputError(
          path: path, place: "record \(records[own[0]].id)", expected: "another shot of run \(records[own[0]].run) beside it, which the recipe asks for",
          found: "none; exclude it, or build the corpus with more shots a run")
      }
      for (place, index) in ordered.enumerated() {
        let isLast = place == ordered.count - 1
        neighbours[index] = ShotNeighbour(index: ordered[isLast ? place - 1 : place + 1], isLater: !isLast)
      }
    }
    return neighbours
  }

  /// Those of `records` that are not alone in their run.
  package static func accompanied(_ records: [Record]) -> [Record] {
    let counts = Dictionary(records.map { (Series($0), 1) }, uniquingKeysWith: +)
    return records.filter { counts[Series($0)]! > 1 }
  }

  /// Shots that follow each other.
  private struct Series: Hashable {
    let source: String, run: RunKey, panel: Int
    init(_ record: Record) { (source, run, panel) = (record.source, record.run, record.panel) }
  }
}

extension Record {
  fileprivate func isEarlier(than other: Record) -> Bool {
    (event.seconds, event.nanoseconds, event.fiducial, file, eventIndex)
      < (other.event.seconds, other.event.nanoseconds, other.event.fiducial, other.file, other.eventIndex)
  }
}

extension SignalScale {
  /// By source of `records`, with the detector pixels under a picture's pixel where the source's first geometry tells. Throws for a source
  /// whose tone map cannot be inverted, because it stretches every picture by itself.
  package static func bySource(of corpus: Corpus, _ records: [Record]) throws(InputError) -> [String: SignalScale] {
    let path = corpus.folder + "/recipe.yaml", recipe = try CorpusRecipe(reading: path)
    let firsts = Dictionary(records.map { ($0.source, $0) }, uniquingKeysWith: { first, _ in first })
    let maps = try PanelMap.byGeometry(of: corpus, Array(firsts.values))
    var scales: [String: SignalScale] = [:]
    for (name, first) in firsts {
      guard let source = recipe.sources.first(where: { $0.name == name }) else {
        throw InputError(path: path, place: "sources", expected: "source \(name) of the records", found: "none of this name")
      }
      let tone = source.tone ?? recipe.tone
      guard !tone.perImage else {
        throw InputError(
          path: path, place: "source \(name), tone.perImage", expected: "false, so that the signal can be told from the picture", found: "true")
      }
      scales[name] = SignalScale(
        unit: first.unit, pixels: maps[first.geometry]?.pixelsAPixel, signal: { tone.inverted($0) }, value: { tone.mapped($0) })
    }
    return scales
  }
}

extension PanelMap {
  /// By geometry of `records`, with the chips of their detectors. Geometries that do not say what a pixel mostly shows, as those of corpora
  /// built before it was stored, have none. Throws where a geometry is damaged.
  package static func byGeometry(of corpus: Corpus, _ records: [Record]) throws(InputError) -> [String: PanelMap] {
    var maps: [String: PanelMap] = [:], seen: Set<String> = []
    for record in records where seen.insert(record.geometry).inserted {
      guard let places = try corpus.detectorCoordinates(for: record)?.places else { continue }
      maps[record.geometry] = PanelMap(
        panels: places.panel, rows: places.row, columns: places.column, panelShape: places.panelShape,
        chips: record.chips)
    }
    return maps
  }
}
