// SPDX-License-Identifier: Apache-2.0
// What the generated chain sells, and where. Written for this project.
#include "cli/friday.h"

#include "base/decimal.h"

#define USD(dollars, cents) ((dollars)*DECIMAL_ONE + (cents) * (DECIMAL_ONE / 100))

// clang-format off
static const struct friday_item menu[] = {
    {"MN-01", FRIDAY_MANAKISH, false, USD(2, 0),  "Manousheh zaatar", "منقوشة زعتر"},
    {"MN-02", FRIDAY_MANAKISH, false, USD(2, 75),
     "Manousheh zaatar and vegetables", "منقوشة زعتر وخضرة"},
    {"MN-03", FRIDAY_MANAKISH, false, USD(3, 25), "Manousheh akkawi cheese", "منقوشة جبنة عكاوي"},
    {"MN-04", FRIDAY_MANAKISH, false, USD(3, 0),
     "Manousheh half zaatar half cheese", "منقوشة نص زعتر نص جبنة"},
    {"MN-05", FRIDAY_MANAKISH, false, USD(3, 0),  "Manousheh kishk", "منقوشة كشك"},
    {"MN-06", FRIDAY_MANAKISH, false, USD(3, 50), "Lahm bi ajin", "لحم بعجين"},
    {"MN-07", FRIDAY_MANAKISH, false, USD(3, 50), "Manousheh labneh and mint", "منقوشة لبنة ونعنع"},
    {"MN-08", FRIDAY_MANAKISH, false, USD(4, 25), "Manousheh sujuk and cheese", "منقوشة سجق وجبنة"},
    {"MN-09", FRIDAY_MANAKISH, false, USD(2, 50), "Spinach fatayer", "فطاير سبانخ"},
    {"SJ-01", FRIDAY_SAJ, false, USD(3, 75), "Saj halloumi", "صاج حلوم"},
    {"SJ-02", FRIDAY_SAJ, false, USD(3, 25), "Saj labneh and olives", "صاج لبنة وزيتون"},
    {"SJ-03", FRIDAY_SAJ, false, USD(5, 50), "Saj chicken and garlic", "صاج دجاج وثوم"},
    {"SJ-04", FRIDAY_SAJ, false, USD(5, 75), "Saj kafta", "صاج كفتة"},
    {"SJ-05", FRIDAY_SAJ, false, USD(4, 75), "Saj turkey and kashkaval", "صاج حبش وقشقوان"},
    {"SJ-06", FRIDAY_SAJ, false, USD(4, 0),  "Saj chocolate and banana", "صاج شوكولا وموز"},
    {"MZ-01", FRIDAY_MEZZE, false, USD(4, 0),  "Hummus", "حمص بطحينة"},
    {"MZ-02", FRIDAY_MEZZE, false, USD(6, 75), "Hummus with meat", "حمص باللحمة"},
    {"MZ-03", FRIDAY_MEZZE, false, USD(4, 25), "Moutabal", "متبل باذنجان"},
    {"MZ-04", FRIDAY_MEZZE, false, USD(3, 75), "Labneh with garlic", "لبنة بالثوم"},
    {"MZ-05", FRIDAY_MEZZE, false, USD(4, 50), "Stuffed vine leaves", "ورق عنب بالزيت"},
    {"MZ-06", FRIDAY_MEZZE, false, USD(4, 75), "Muhammara", "محمرة"},
    {"MZ-07", FRIDAY_MEZZE, false, USD(5, 25), "Fried kibbeh", "كبة مقلية"},
    {"MZ-08", FRIDAY_MEZZE, false, USD(8, 50), "Raw kibbeh", "كبة نية"},
    {"MZ-09", FRIDAY_MEZZE, false, USD(4, 50), "Cheese rolls", "رقاقات جبنة"},
    {"MZ-10", FRIDAY_MEZZE, false, USD(3, 75), "Spicy potatoes", "بطاطا حرة"},
    {"MZ-11", FRIDAY_MEZZE, false, USD(3, 50), "French fries", "بطاطا مقلية"},
    {"MZ-12", FRIDAY_MEZZE, false, USD(7, 25),
     "Chicken liver with pomegranate", "سودة دجاج بدبس الرمان"},
    {"MZ-13", FRIDAY_MEZZE, false, USD(6, 50), "Makanek sausages", "مقانق"},
    {"MZ-14", FRIDAY_MEZZE, false, USD(4, 25), "Foul moudammas", "فول مدمس"},
    {"MZ-15", FRIDAY_MEZZE, false, USD(5, 25), "Fattet hummus", "فتة حمص"},
    {"MZ-16", FRIDAY_MEZZE, false, USD(3, 25), "Pickles and olives", "كبيس وزيتون"},
    {"SL-01", FRIDAY_SALADS, false, USD(4, 75), "Tabbouleh", "تبولة"},
    {"SL-02", FRIDAY_SALADS, false, USD(4, 75), "Fattoush", "فتوش"},
    {"SL-03", FRIDAY_SALADS, false, USD(4, 25), "Rocket and onion salad", "سلطة جرجير وبصل"},
    {"SL-04", FRIDAY_SALADS, false, USD(4, 0),  "Cabbage salad", "سلطة ملفوف"},
    {"SL-05", FRIDAY_SALADS, false, USD(4, 50), "Aubergine salad", "راهب باذنجان"},
    {"SL-06", FRIDAY_SALADS, false, USD(3, 0),  "Yogurt and cucumber", "خيار بلبن"},
    {"GR-01", FRIDAY_GRILLS, false, USD(13, 50), "Mixed grill", "مشاوي مشكلة"},
    {"GR-02", FRIDAY_GRILLS, false, USD(10, 75), "Shish taouk", "شيش طاووق"},
    {"GR-03", FRIDAY_GRILLS, false, USD(11, 25), "Kafta skewers", "كفتة مشوية"},
    {"GR-04", FRIDAY_GRILLS, false, USD(14, 25), "Lamb skewers", "لحم مشوي"},
    {"GR-05", FRIDAY_GRILLS, false, USD(12, 25), "Half grilled chicken", "نصف فروج مشوي"},
    {"GR-06", FRIDAY_GRILLS, false, USD(12, 0),  "Kafta with cherry", "كفتة بالكرز"},
    {"GR-07", FRIDAY_GRILLS, false, USD(9, 75),  "Arayes kafta", "عرايس كفتة"},
    {"GR-08", FRIDAY_GRILLS, true,  USD(28, 0),
     "Mixed grill by the kilogram", "مشاوي بالكيلو"},
    {"GR-09", FRIDAY_GRILLS, true,  USD(24, 50),
     "Sea bream by the kilogram", "سمك أجاج بالكيلو"},
    {"SW-01", FRIDAY_SANDWICHES, false, USD(4, 50), "Chicken shawarma", "شاورما دجاج"},
    {"SW-02", FRIDAY_SANDWICHES, false, USD(5, 0),  "Beef shawarma", "شاورما لحمة"},
    {"SW-03", FRIDAY_SANDWICHES, false, USD(3, 0),  "Falafel sandwich", "سندويش فلافل"},
    {"SW-04", FRIDAY_SANDWICHES, false, USD(4, 75), "Taouk sandwich", "سندويش طاووق"},
    {"SW-05", FRIDAY_SANDWICHES, false, USD(3, 25), "Potato sandwich", "سندويش بطاطا"},
    {"SW-06", FRIDAY_SANDWICHES, false, USD(4, 75), "Makanek sandwich", "سندويش مقانق"},
    {"SW-07", FRIDAY_SANDWICHES, false, USD(11, 0), "Chicken shawarma plate", "صحن شاورما دجاج"},
    {"SD-01", FRIDAY_SWEETS, false, USD(4, 75), "Knefeh with cheese", "كنافة بجبنة"},
    {"SD-02", FRIDAY_SWEETS, false, USD(3, 75), "Halawet el jibn", "حلاوة الجبن"},
    {"SD-03", FRIDAY_SWEETS, false, USD(3, 25), "Mouhalabieh", "مهلبية"},
    {"SD-04", FRIDAY_SWEETS, false, USD(3, 25), "Rice pudding", "رز بحليب"},
    {"SD-05", FRIDAY_SWEETS, false, USD(4, 25), "Osmalieh", "عصملية"},
    {"SD-06", FRIDAY_SWEETS, false, USD(4, 0),  "Katayef with cream", "قطايف بالقشطة"},
    {"SD-07", FRIDAY_SWEETS, true,  USD(17, 50),
     "Assorted baklava by the kilogram", "بقلاوة مشكلة بالكيلو"},
    {"SD-08", FRIDAY_SWEETS, false, USD(6, 25), "Fruit platter", "صحن فواكه"},
    {"DR-01", FRIDAY_DRINKS, false, USD(1, 0),  "Small water", "مياه صغيرة"},
    {"DR-02", FRIDAY_DRINKS, false, USD(1, 75), "Large water", "مياه كبيرة"},
    {"DR-03", FRIDAY_DRINKS, false, USD(1, 50), "Cola", "كولا"},
    {"DR-04", FRIDAY_DRINKS, false, USD(1, 50), "Lemon soda", "صودا حامض"},
    {"DR-05", FRIDAY_DRINKS, false, USD(1, 75), "Ayran", "عيران"},
    {"DR-06", FRIDAY_DRINKS, false, USD(3, 25), "Lemonade with mint", "ليموناضة بالنعنع"},
    {"DR-07", FRIDAY_DRINKS, false, USD(3, 50), "Fresh orange juice", "عصير برتقال"},
    {"DR-08", FRIDAY_DRINKS, false, USD(3, 75), "Pomegranate juice", "عصير رمان"},
    {"DR-09", FRIDAY_DRINKS, false, USD(3, 0),  "Jallab", "جلاب"},
    {"DR-10", FRIDAY_DRINKS, false, USD(2, 25), "Sparkling water", "مياه غازية"},
    {"CF-01", FRIDAY_COFFEE, false, USD(1, 75), "Lebanese coffee", "قهوة لبنانية"},
    {"CF-02", FRIDAY_COFFEE, false, USD(2, 0),  "White coffee", "قهوة بيضا"},
    {"CF-03", FRIDAY_COFFEE, false, USD(2, 25), "Espresso", "اسبريسو"},
    {"CF-04", FRIDAY_COFFEE, false, USD(3, 50), "Cappuccino", "كابوتشينو"},
    {"CF-05", FRIDAY_COFFEE, false, USD(1, 75), "Tea", "شاي"},
    {"CF-06", FRIDAY_COFFEE, false, USD(2, 25), "Mint tea", "شاي بالنعنع"},
    {"CF-07", FRIDAY_COFFEE, false, USD(2, 50), "Hot chocolate", "شوكولا ساخنة"},
    {"AR-01", FRIDAY_ARAK, false, USD(4, 50),  "Arak, glass", "كأس عرق"},
    {"AR-02", FRIDAY_ARAK, false, USD(13, 0),  "Arak, quarter bottle", "ربع قنينة عرق"},
    {"AR-03", FRIDAY_ARAK, false, USD(24, 0),  "Arak, half bottle", "نص قنينة عرق"},
    {"AR-04", FRIDAY_ARAK, false, USD(3, 75),  "Lebanese beer", "بيرة لبنانية"},
    {"AR-05", FRIDAY_ARAK, false, USD(6, 0),   "Bekaa wine, glass", "كأس نبيذ بقاعي"},
};

static const struct friday_place places[] = {
    {"beirut-hamra", "Beirut Hamra", "بيروت الحمرا"},
    {"beirut-verdun", "Beirut Verdun", "بيروت فردان"},
    {"beirut-achrafieh", "Beirut Achrafieh", "بيروت الأشرفية"},
    {"tripoli", "Tripoli", "طرابلس"},
    {"saida", "Saida", "صيدا"},
    {"jounieh", "Jounieh", "جونية"},
    {"zahle", "Zahle", "زحلة"},
    {"beirut-mar-mikhael", "Beirut Mar Mikhael", "بيروت مار مخايل"},
    {"tyre", "Tyre", "صور"},
    {"byblos", "Byblos", "جبيل"},
    {"baalbek", "Baalbek", "بعلبك"},
    {"nabatieh", "Nabatieh", "النبطية"},
    {"batroun", "Batroun", "البترون"},
    {"aley", "Aley", "عاليه"},
    {"broummana", "Broummana", "برمانا"},
    {"chtaura", "Chtaura", "شتورا"},
    {"antelias", "Antelias", "أنطلياس"},
    {"hazmieh", "Hazmieh", "الحازمية"},
};
// clang-format on

const struct friday_item *friday_menu(size_t *ret_count)
{
    *ret_count = sizeof(menu) / sizeof(menu[0]);
    return menu;
}

const struct friday_place *friday_places(size_t *ret_count)
{
    *ret_count = sizeof(places) / sizeof(places[0]);
    return places;
}
