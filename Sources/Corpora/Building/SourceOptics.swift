import Foundation
import Frames
import Host
import Tensors

/// What turns the payloads of one source into pictures; the same for all its frames but the calibration, which goes by run.
struct SourceOptics: Sendable {
  let recipe: SourceRecipe
  let image: CorpusRecipe.ImageSize
  let tone: ToneMap
  let assembly: Assembly?
  /// Panel (or -1 for an assembled picture) -> digest of its coordinates; empty without a geometry.
  let coordinateDigests: [Int: String]
  let coordinates: [String: DetectorCoordinates]

  init(_ recipe: SourceRecipe, of corpus: CorpusRecipe, relativeTo base: String, environment: [String: String])
    throws(InputError)
  {
    self.recipe = recipe
    image = corpus.image
    tone = recipe.tone ?? corpus.tone
    guard let pattern = recipe.geometry else {
      (assembly, coordinateDigests, coordinates) = (nil, [:], [:])
      return
    }
    let place = "source \(recipe.name), geometry"
    let found = try FilePattern(text: pattern).matches(relativeTo: base, environment: environment, place: place)
    guard found.count == 1 else {
      throw InputError(path: pattern, place: place, expected: "one geometry file", found: "\(found.count)")
    }
    let geometry = try Geometry(readingFrom: found[0].path)
    let positions = try geometry.pixelPositions()
    let assembly = try Assembly(geometry: geometry, panelShape: positions.x.shape)
    var digests: [Int: String] = [:], coordinates: [String: DetectorCoordinates] = [:]
    let content = Checksum.sha256(try AtomicFile.read(found[0].path))
    for panel in recipe.view == .assembled ? [-1] : Array(0..<positions.x.shape[0]) {
      let how = "\(recipe.view.rawValue)/\(recipe.fit.rawValue)/\(image.height)/\(image.width)/\(panel)"
      let crop = recipe.crop.map { "/\($0.rows)/\($0.columns)" } ?? ""
      let digest = String(Checksum.sha256(Data("\(content)/\(how)\(crop)".utf8)).prefix(16))
      digests[panel] = digest
      coordinates[digest] =
        panel < 0
        ? SourceOptics.coordinates(of: assembly, image, recipe.fit)
        : try SourceOptics.coordinates(of: positions, panel: panel, recipe, image, path: found[0].path)
    }
    (self.assembly, coordinateDigests, self.coordinates) = (recipe.view == .assembled ? assembly : nil, digests, coordinates)
  }

  func coordinateDigest(panel: Int) -> String {
    coordinateDigests[recipe.view == .picture ? 0 : panel] ?? ""
  }

  private static func coordinates(of assembly: Assembly, _ image: CorpusRecipe.ImageSize, _ fit: SourceRecipe.Fit)
    -> DetectorCoordinates
  {
    let framing = Framing(
      sourceHeight: assembly.height, sourceWidth: assembly.width, height: image.height, width: image.width, fit: fit)
    return coordinates(image, framing) { row, column in
      assembly.location(row: row, column: column).map { ($0.panel, $0.xMM, $0.yMM) }
    }
  }

  private static func coordinates(
    of positions: PixelPositions, panel: Int, _ recipe: SourceRecipe, _ image: CorpusRecipe.ImageSize, path: String
  ) throws(InputError) -> DetectorCoordinates {
    let shape = positions.x.shape
    let part = try recipe.part(ofHeight: shape[1], width: shape[2], path: path)
    let framing = Framing(
      sourceHeight: part.rows.count, sourceWidth: part.columns.count, height: image.height, width: image.width,
      fit: recipe.fit)
    return coordinates(image, framing) { row, column in
      let i = (panel * shape[1] + part.rows.lowerBound + row) * shape[2] + part.columns.lowerBound + column
      return (panel, positions.x.elements[i] / 1000, positions.y.elements[i] / 1000)
    }
  }

  private static func coordinates(
    _ image: CorpusRecipe.ImageSize, _ framing: Framing, _ location: (Int, Int) -> (panel: Int, x: Double, y: Double)?
  ) -> DetectorCoordinates {
    let shape: Shape = [image.height, image.width]
    var panel = Tensor<Int16>(repeating: -1, shape)
    var x = Tensor<Float>(repeating: 0, shape), y = x
    for row in 0..<image.height {
      for column in 0..<image.width {
        guard let source = framing.source(row: row, column: column), let at = location(source.row, source.column) else {
          continue
        }
        let i = row * image.width + column
        panel.elements[i] = Int16(at.panel)
        x.elements[i] = Float(at.x)
        y.elements[i] = Float(at.y)
      }
    }
    return DetectorCoordinates(panel: panel, x: x, y: y)
  }

  /// The steps from raw counts to value, in order.
  func transforms(detector: String, unit: String, calibration: String) -> [String] {
    var steps = ["decode \(detector)"]
    if recipe.stack > 1 { steps.append("stack \(recipe.stack) consecutive frames as rows") }
    steps.append(calibration.isEmpty ? "calibrate without constants -> \(unit)" : "calibrate with \(calibration) -> \(unit)")
    if let crop = recipe.crop {
      steps.append("crop rows \(crop.rows[0])..<\(crop.rows[1]), columns \(crop.columns[0])..<\(crop.columns[1])")
    }
    if recipe.view == .assembled { steps.append("assemble by geometry \(coordinateDigest(panel: -1))") }
    steps.append("\(recipe.fit.rawValue), area average to \(image.height)×\(image.width)")
    steps.append(tone.summary(unit: unit))
    return steps
  }
}

extension SourceRecipe {
  /// The rows and columns of a stored panel that are used.
  func part(ofHeight height: Int, width: Int, path: String) throws(InputError) -> (rows: Range<Int>, columns: Range<Int>) {
    guard let crop else { return (0..<height, 0..<width) }
    guard crop.rows[1] <= height, crop.columns[1] <= width else {
      throw InputError(
        path: path, place: "source \(name), crop", expected: "rows and columns within \(height)×\(width)",
        found: "rows \(crop.rows), columns \(crop.columns)")
    }
    return (crop.rows[0]..<crop.rows[1], crop.columns[0]..<crop.columns[1])
  }
}
