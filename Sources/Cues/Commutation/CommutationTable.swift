import Corpora
import Foundation
import Frames
import Host
import Networks
import Pretexts
import Tensors
import Training

/// Which steps of a run's own pipeline treat a picture and what its task makes of it alike, over many sizes.
public struct CommutationTable: Codable, Hashable, Sendable {
  public struct Row: Codable, Hashable, Sendable {
    /// The source of the corpus; empty for what all sources share.
    public var source: String
    public var step: String
    /// One a symmetry and size.
    public var residuals: [CommutationResidual]
    public var verdict: Verdict
    /// Why a step that does not commute does not fail the run.
    public var reason: String?
    /// The name by which a recipe owns up to it.
    public var key: String

    /// The largest over symmetries and sizes.
    public var worst: CommutationResidual? { residuals.max { $0.relative < $1.relative } }
  }

  public enum Verdict: String, Codable, Sendable {
    case commutes
    /// The recipe names it among `owns`.
    case owned
    /// A control judges it.
    case judged = "judged by a control"
    /// Told, not judged: what the network does itself.
    case information
    case fails
  }

  public var rows: [Row]
  /// Steps that fail the run.
  public var failures: [Row] { rows.filter { $0.verdict == .fails } }

  /// Sizes of the pictures that go in.
  public static let widths = [96, 97, 99, 100, 112], heights = [65, 112]
  /// Steps that a recipe may own up to. A control that is answered withholds the accuracy whatever the recipe says.
  public static let ownable = ["encode", "calibrate", "assemble", "area average", "tone map", "store", "input scaling", "cut"]

  /// Steps for which it matters what is mirrored, the whole frame or its tiles.
  private static let movesPixels: Set<String> = ["encode", "calibrate", "area average"]

  /// Throws where `owns` names something else.
  public static func check(owns recipe: TrainingRecipe, path: String) throws(InputError) {
    guard let stranger = recipe.owns.first(where: { !ownable.contains($0) }) else { return }
    throw InputError(
      path: path, place: "owns", expected: "steps: \(ownable.joined(separator: ", ")) (a control that is answered withholds the accuracy, owned up to or not)",
      found: "\"\(stranger)\"")
  }

  /// Of square pictures, for steps that take no others.
  static let sides = [65, 96, 97, 99, 100, 112]

  public init(rows: [Row]) { self.rows = rows }

  /// The steps between raw counts and network of the sources that `recipe` uses, by the recipe of their corpus.
  ///
  /// Constants (pedestals, gains, bad pixels) are no steps: what they leave is fixed to the detector, and darks and mask judge it.
  public init(_ recipe: TrainingRecipe, scaling: InputScaling, corpus: Corpus) throws {
    let path = corpus.folder + "/recipe.yaml"
    let made = try CorpusRecipe(reading: path), used = Set(corpus.records.filter(recipe.filter.accepts).map(\.source))
    let task = try recipe.task.task(path: path), owned = Set(recipe.owns), asked = task.answers.filter { $0 != .identity }
    let symmetries = asked.isEmpty ? [Symmetry.mirror] : asked
    func row(_ key: String, _ step: PipelineStep, _ source: String, sizes: [(height: Int, width: Int)]? = nil) throws -> Row {
      try CommutationTable.row(key, step, source, sizes: sizes, under: symmetries, owned: owned)
    }
    /// What JPEG did to pictures before anything here saw them. Neither its quality nor the size of the pictures is kept: all sizes are tried, of
    /// which only those of whole blocks commute.
    func encode(_ source: String) throws -> Row {
      var row = try row("encode", .jpeg(quality: 75), source)
      if row.verdict == .fails {
        row.reason = "its pictures were JPEG files, whose blocks count from the left and top edge: add encode to the recipe's owns, or take lossless files"
      }
      return row
    }
    var rows: [Row] = []
    for source in made.sources where used.contains(source.name) {
      let own = corpus.records.lazy.filter { $0.source == source.name }
      guard let record = own.first else { continue }
      if own.contains(where: { PipelineStep.isJPEG(file: $0.file) }) { rows.append(try encode(source.name)) }
      let detector = DetectorCatalog.detector(named: record.detector)
      if source.commonMode != .none {
        if let detector, let shape = CommutationTable.panel(of: record.detector) {
          rows.append(try row("calibrate", .commonMode(source.commonMode, of: detector), source.name, sizes: [shape]))
        } else {
          rows.append(Row(
            source: source.name, step: "common mode of \(record.detector)", residuals: [], verdict: .information,
            reason: "not measured: the size of its panels is not known here", key: "calibrate"))
        }
      }
      let size = (made.image.height, made.image.width)
      rows.append(try row("area average", .framing(height: size.0, width: size.1, fit: source.fit), source.name))
      rows.append(try row("tone map", .toneMap(source.tone ?? made.tone), source.name))
      if source.view == .assembled {
        let panels = try corpus.detectorCoordinates(for: record)?.places?.panelShape
        // The canvas of a turned detector is the canvas turned.
        let turn = source.symmetry ?? .identity, asked = symmetries.map { turn.followed(by: $0).followed(by: turn.inverse) }
        rows.append(try CommutationTable.assembly(of: record.detector, panels: panels, source.name, under: asked, owned: owned))
      }
      let outline = try corpus.image(record).weight
      let name = source.view == .assembled ? "outline of the assembled panels" : "margins and bad pixels"
      rows.append(try row("mask", .outline(outline, name), source.name, sizes: [size]))
    }
    rows.append(try row("store", .store, ""))
    let whole = (height: made.image.height, width: made.image.width)
    rows.append(try row("input scaling", .inputScaling(scaling), "", sizes: scaling.templates == nil ? nil : [whole]))
    let squares = CommutationTable.sides.map { (height: $0, width: $0) }
    let blank = Tensor<Float>(repeating: 0, [squares.last!.height, squares.last!.width])
    if task.centralPiece(of: MaskedImage(pixels: blank, weight: blank)) != nil {
      rows.append(try row("cut", .cutting(of: task), "", sizes: squares))
    }
    let side = made.image.width
    var stem = try row("network", .stem(kernel: 3, stride: 2, padding: 1), "", sizes: [(side, side), (side ^ 1, side ^ 1)])
    stem.verdict = .information
    stem.reason = side % 2 == 1 ? "pictures of \(side) pixels have one on the mirror axis" : "an even side: each stride-2 step prefers one"
    rows.append(stem)
    // Tiles are mirrored in place: what was measured is the mirror of the whole frame.
    if task.mirrorsTiles {
      for index in rows.indices where rows[index].verdict == .commutes && CommutationTable.movesPixels.contains(rows[index].key) {
        (rows[index].verdict, rows[index].reason) = (.information, "measured for a mirror of the whole frame, where the task mirrors tiles one by one")
      }
    }
    // Who asks for no symmetry is not told anything by a step's handedness.
    for index in rows.indices where asked.isEmpty && (rows[index].verdict == .fails || rows[index].key == "assemble" && rows[index].verdict == .judged) {
      (rows[index].verdict, rows[index].reason) = (.information, "the task asks for no mirror or turn")
    }
    self.rows = rows
  }

  /// One row of the table: `step` under every symmetry at every size; those that transpose at square sizes only.
  public static func row(
    _ key: String, _ step: PipelineStep, _ source: String, sizes: [(height: Int, width: Int)]? = nil, planes: Int = 1,
    under symmetries: [Symmetry] = [.mirror, .mirror.followed(by: Symmetry.rotations[2]), .quarterTurn], owned: Set<String>
  ) throws -> Row {
    // A step that takes pictures of any size takes shifted ones within a border, too.
    let takesAnySize = sizes == nil, sizes = sizes ?? heights.flatMap { height in widths.map { (height, $0) } }
    var residuals: [CommutationResidual] = []
    for (height, width) in sizes {
      for symmetry in symmetries where height == width || !symmetry.transposes {
        residuals.append(
          try CommutationResidual(
            of: step, under: symmetry, height: height, width: width, planes: planes, frames: 1,
            measuringGlide: !symmetry.transposes && step.period <= 16 && (takesAnySize || step.period > 1)))
      }
    }
    var row = Row(source: source, step: step.name, residuals: residuals, verdict: .commutes, reason: nil, key: key)
    guard !residuals.isEmpty else {
      (row.verdict, row.reason) = (.information, "its pictures are not square, so what the task asks cannot be done to them")
      return row
    }
    guard residuals.contains(where: { !$0.commutes }) else { return row }
    if owned.contains(key) {
      (row.verdict, row.reason) = (.owned, "the recipe owns up to it")
    } else if let control = step.judgedBy {
      (row.verdict, row.reason) = (.judged, "the control \"\(control)\" tells whether it is used")
    } else {
      row.verdict = .fails
      row.reason = "add \(key) to the recipe's owns, or flip before this step"
    }
    return row
  }

  /// The row of the assembly. A corpus does not keep the geometry that it was made with, only what its pixels show, so the panels lie at their
  /// nominal places.
  ///
  /// - Parameter panels: `[panels, rows, columns]` of the corpus's detector, where it knows.
  package static func assembly(of detector: String, panels: Shape?, _ source: String, under symmetries: [Symmetry], owned: Set<String> = []) throws -> Row {
    let nominal: Geometry? =
      switch detector {
      case CSPAD.name: .nominalCSPAD
      case Jungfrau.name: .nominalJungfrau4M
      default: nil
      }
    func unmeasured(_ reason: String) -> Row {
      Row(source: source, step: "assembly of \(detector)", residuals: [], verdict: .information, reason: "not measured: \(reason)", key: "assemble")
    }
    guard let nominal else { return unmeasured("the nominal places of its panels are not known here") }
    let own = try nominal.pixelPositions().x.shape
    if let panels, panels != own { return unmeasured("its panels are \(panels), and nominal places are known of \(own)") }
    let (step, height, width) = try PipelineStep.assembly(.psana(nominal))
    guard height == width || symmetries.contains(where: { !$0.transposes }) else {
      return unmeasured("its canvas of \(height)×\(width) cannot be turned onto itself")
    }
    var row = try row("assemble", step, source, sizes: [(height, width)], under: symmetries, owned: owned)
    if row.verdict == .judged {
      row.reason = "it displaces by fractions of a pixel of the canvas; the control \"\(MirroredGeometry.name)\" tells whether that is used, given a twin under the same light"
    }
    return row
  }

  /// Rows and columns of one panel, for detectors whose common mode has fixed blocks.
  static func panel(of detector: String) -> (height: Int, width: Int)? {
    switch detector {
    case CSPAD.name: (185, 388)
    case Epix100a.name: (704, 768)
    case Epix10k.name: (352, 384)
    case Jungfrau.name: (512, 1024)
    case PNCCD.name: (512, 512)
    default: nil
    }
  }
}
