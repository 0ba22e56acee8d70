import Foundation
import Frames
import Host

/// What turns the payloads of one source into pictures; the same for all its frames but calibration and geometry, which may
/// go by run.
struct SourceOptics: Sendable {
  let recipe: SourceRecipe
  let image: CorpusRecipe.ImageSize
  let tone: ToneMap
  /// Of the geometry file that the recipe names.
  let placement: DetectorPlacement?

  init(_ recipe: SourceRecipe, of corpus: CorpusRecipe, relativeTo base: String, environment: [String: String])
    throws(InputError)
  {
    self.recipe = recipe
    image = corpus.image
    tone = recipe.tone ?? corpus.tone
    guard let pattern = recipe.geometry, pattern != SourceRecipe.geometryOfCalibration else {
      placement = nil
      return
    }
    let place = "source \(recipe.name), geometry"
    let found = try FilePattern(text: pattern).matches(relativeTo: base, environment: environment, place: place)
    guard found.count == 1 else {
      throw InputError(path: pattern, place: place, expected: "one geometry file", found: "\(found.count)")
    }
    placement = try DetectorPlacement(try DetectorGeometry(readingFrom: found[0].path), recipe, image)
  }

  /// The steps from raw counts to value, in order.
  func transforms(detector: String, unit: String, calibration: String, geometry: String) -> [String] {
    var steps = ["decode \(detector)"]
    if recipe.stack > 1 { steps.append("stack \(recipe.stack) consecutive frames as rows") }
    steps.append(calibration.isEmpty ? "calibrate without constants -> \(unit)" : "calibrate with \(calibration) -> \(unit)")
    if let crop = recipe.crop {
      steps.append("crop rows \(crop.rows[0])..<\(crop.rows[1]), columns \(crop.columns[0])..<\(crop.columns[1])")
    }
    if recipe.view == .assembled { steps.append("assemble by geometry \(geometry)") }
    if let symmetry = recipe.symmetry { steps.append("turn the detector: \(symmetry.keyword)") }
    if let centre = recipe.centre { steps.append("centre on \(centre.name)") }
    steps.append("\(recipe.fit.rawValue), area average to \(image.height)×\(image.width)")
    steps.append(tone.summary(unit: unit))
    return steps
  }
}

extension SourceRecipe {
  /// Written for `geometry`: take the calibration folder's, by run.
  public static let geometryOfCalibration = "calibration"

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
